"""Define the settings of a video: of its generation, and of Face VCD and Tiled VCD right after it."""

from dataclasses import dataclass

from vcd_ext.settings.control import ControlSettings
from vcd_ext.settings.face import FaceSettings
from vcd_ext.settings.files import FileSettings
from vcd_ext.settings.free import FreeSettings
from vcd_ext.settings.loop import LoopSettings
from vcd_ext.settings.onward import OnwardSettings
from vcd_ext.settings.passes import NO_MODULE, PassSettings
from vcd_ext.settings.people import PeopleSettings
from vcd_ext.settings.setting import CHANGED, NEVER, part_of_settings, same_as, setting, span, with_all_of, with_stages
from vcd_ext.settings.tiled import TiledSettings

FORMATS = ("mp4", "webm", "gif", "webp", "png")
MOST_FRAMES = 1024
STAGES = ("face", "tiled")  # what may follow the generation, in this order


@dataclass(frozen=True)
@with_all_of(LoopSettings, FreeSettings, OnwardSettings, FileSettings, ControlSettings, PeopleSettings)
@with_stages(face=FaceSettings, tiled=TiledSettings)
class VideoSettings:
    """Set up text-to-video VCD and what follows it: the section *VCD* of txt2img and img2img, and `generate`.

    It also has those settings of `FaceSettings` and `TiledSettings` that are `in_video` there, as `face_denoise` and so
    on; what the stages share with the video, such as its identity, is the video's. And it has all of `LoopSettings`,
    `FreeSettings`, `OnwardSettings`, `FileSettings`, `ControlSettings` and `PeopleSettings`.
    """

    enabled: bool = setting(
        False, "Enable", "Make a video: the batch of pictures becomes the frames of one video.", infotext=NEVER
    )
    motion_module: str = setting(
        NO_MODULE,
        "Motion module",
        "An AnimateDiff motion module (v1, v2, v3, AnimateLCM or Lightning) that moves the frames together. "
        "'none' applies the noise prior alone, for use beside another animation extension.",
    )
    motion_lora: str = setting(
        NO_MODULE,
        "Motion LoRA",
        "A small change of the motion module, such as a camera's pan; AnimateDiff's go with v2 and what is distilled "
        "from it. Several at once: <lora:name:0.8> for each, in the prompt. It moves the video, not Face VCD's crops.",
        infotext=CHANGED,
    )
    motion_lora_weight: float = setting(
        0.8,
        "Motion LoRA weight",
        "How strongly it counts. 0 has no effect, below 0 it is the opposite movement.",
        **span(-2.0, 2.0, 0.05),
        infotext=CHANGED,
    )
    frames: int = setting(
        16,
        "Frames",
        "Length of the video. 1 makes a picture. With a motion module more frames than 'Context' are made in windows.",
        **span(1, MOST_FRAMES, 1),
    )
    context: int = setting(
        16,
        "Context",
        "Frames that the motion module sees together; a longer video is denoised in windows of so many, and needs no "
        "more memory than one of them. Motion modules are trained on 16 frames; most hold at most 32.",
        **span(1, 1024, 1, 64),
    )
    overlap: int = setting(
        4,
        "Overlap",
        "Frames that a window shares with the next, where one fades into the other; less than 'Context'. More is "
        "smoother and slower. Without effect where one window is enough.",
        **span(0, 1023, 1, 16),
    )
    fps: float = setting(8.0, "FPS", "Frames per second of the video file.", **span(0.1, 120, 0.1, 30))
    gamma: float = setting(
        0.15,
        "Gamma",
        "How alike the noise of neighbouring frames is at the start (covariance gamma^distance). 0 is independent "
        "noise: livelier, less steady. The paper uses 0.15; 0.05 to 0.2 is useful, from 0.3 the picture stands still.",
        **span(0.0, 0.5, 0.01),
    )
    step_noise: bool = setting(
        False,
        "Correlate step noise",
        "Also correlate the noise that ancestral, SDE and LCM samplers add at each step. The paper correlates only "
        "the start.",
    )
    prompt_travel: str = same_as(PassSettings, "prompt_travel", infotext=CHANGED)
    speed: str = same_as(PassSettings, "speed", "Face VCD and Tiled VCD keep it.", infotext=CHANGED)
    formats: tuple[str, ...] = setting(
        ("mp4",),
        "Formats",
        "Files to write for each video. 'png' keeps the frames as pictures.",
        choices=FORMATS,
    )
    identity: str = setting(
        NO_MODULE,
        "Identity",
        "An embedding of the person, pet or thing. Its name is written into the prompt if it is not there yet.",
    )
    face: bool = setting(
        False,
        "Face VCD",
        "After the generation: find the faces, paint them anew with the identity, put them back.",
    )
    tiled: bool = setting(
        False, "Tiled VCD", "At the end: twice the width and height, with detail that the checkpoint paints."
    )
    save_stages: bool = setting(
        False, "Save every stage", "Also write the videos from before Face VCD and from before Tiled VCD."
    )
    video: str = setting(
        "",
        "Video",
        "In img2img: a video that is made again, as strongly as 'Denoising strength' says. Its first 'Frames' frames "
        "are the init images, its rate is kept. In the API: a file in a folder that may be read, or a file in base64.",
        infotext=NEVER,
    )
    first_frame: int = same_as(PassSettings, "first_frame", infotext=CHANGED)
    last_frame: int = same_as(PassSettings, "last_frame", "'Frames' may end it before.", infotext=CHANGED)

    @property
    def onward(self) -> OnwardSettings:
        """Return what the video begins from and how it goes on."""
        return part_of_settings(OnwardSettings, self)

    @property
    def files(self) -> FileSettings:
        """Return how the files are written."""
        return part_of_settings(FileSettings, self)

    @property
    def loops(self) -> LoopSettings:
        """Return how the video ends."""
        return part_of_settings(LoopSettings, self)

    @property
    def control(self) -> ControlSettings:
        """Return what guides the frames through ControlNet."""
        return part_of_settings(ControlSettings, self)

    @property
    def several(self) -> PeopleSettings:
        """Return who is in the video, where several people are."""
        return part_of_settings(PeopleSettings, self)

    @property
    def free(self) -> FreeSettings:
        """Return what is done to its noise beside the prior."""
        return part_of_settings(FreeSettings, self)

"""Define the settings of Face VCD."""

from dataclasses import dataclass

from vcd_ext.settings.passes import DETECTORS, PassSettings
from vcd_ext.settings.setting import InVideo, setting, span


@dataclass(frozen=True)
class FaceSettings(PassSettings):
    """Set up Face VCD (arXiv 2402.09368 v1, section 4.3): tab *Face VCD* and `face`."""

    prompt: str = setting(
        "",
        "Prompt",
        "What is painted where a face is: 'close up photo of a man'. A whole scene would be painted into the face.",
        in_video=InVideo(
            "Face prompt",
            help="What is painted where a face is. Empty: the video's prompt as a close up, such as 'close up photo of "
            "rex' for 'photo of rex' and 'far away photo of rex', as a face fills what is painted.",
        ),
    )
    denoise: float = setting(
        0.8,
        "Denoise",
        "How much of the face is painted anew. 0.8 brings the identity back; below 0.5 the face stays as it is.",
        **span(0.01, 1.0, 0.01),
        in_video=InVideo("Face denoise"),
    )
    people: str = setting(
        "",
        "People",
        "Who is who, by the numbers of the preview: '1: rex; 2: -' puts rex into the prompt of face 1 and leaves face "
        "2 as it is. The others get the identity. Or by region: 'rex dog @ left; mara @ right', as several people of a "
        "video have them, which is what they get by themselves.",
        in_video=InVideo("Who is who"),
    )
    detector: str = setting(
        "auto",
        "Detector",
        "What finds the faces. 'auto' takes the best that is there; 'drawn' is for the drawn world that is shipped.",
        choices=DETECTORS,
        in_video=InVideo("Face detector", more="Tiled VCD asks it where the subject is, as well."),
    )
    words: str = setting(
        "",
        "Instead of a face",
        "What to look for in place of a face, for example dog head. Needs the weights of Grounding DINO.",
        in_video=InVideo("Instead of a face"),
    )
    small_faces: bool = setting(
        False,
        "Small faces",
        "Look for small faces in every frame, not only where no other face is found. Takes five times as long.",
    )
    confidence: float = setting(0.6, "Confidence", "How sure a face must be.", **span(0.05, 0.99, 0.01))
    min_face: int = setting(
        24,
        "Smallest face",
        "Pixels. Smaller faces are left alone.",
        **span(4, 1024, 1, 128),
        in_video=InVideo("Smallest face"),
    )
    max_faces: int = setting(4, "Most faces", "In a shot. The largest are taken.", **span(1, 32, 1, 8))
    min_track: int = setting(4, "Shortest track", "Frames. Faces seen in fewer are left alone.", **span(1, 64, 1))
    max_gap: int = setting(
        8,
        "Longest gap",
        "Frames in which a face that was lost is still repaired, at the place where it must be.",
        **span(0, 64, 1, 32),
    )
    crop: float = setting(
        2.2,
        "Crop",
        "Side of the crop, as a multiple of the face. More shows the denoiser more of what is around.",
        **span(1.2, 6.0, 0.1),
    )
    size: int = setting(
        512,
        "Size",
        "Pixels that a crop is enlarged to, a multiple of 8.",
        **span(64, 1024, 8),
        in_video=InVideo("Face size"),
    )
    least_zoom: float = setting(
        1.2,
        "Least zoom",
        "Faces whose crop is enlarged less than this are large already and left alone.",
        **span(1.0, 8.0, 0.1),
    )
    mask: float = setting(
        1.25,
        "Mask",
        "What is painted anew, as a multiple of the face. 1.8 takes in hair, hats and ears as well.",
        **span(1.0, 2.0, 0.05),
        in_video=InVideo("Face mask"),
    )
    feather: float = setting(
        0.15,
        "Feather",
        "Width of the edge over which old and new mix, as a share of the face.",
        **span(0.0, 0.5, 0.01),
        in_video=InVideo("Face feather"),
    )
    smoothing: float = setting(
        1.0,
        "Smoothing",
        "How calm the crop moves. 0 follows every detection; lower it if crops lag behind a bouncing face.",
        **span(0.0, 10.0, 0.1),
    )
    fade: int = setting(
        3, "Fade", "Frames over which the repair comes and goes where a face appears or vanishes.", **span(0, 16, 1)
    )
    colour: float = setting(
        1.0,
        "Match colours",
        "How much light and colour of the new face follow what is around the old one.",
        **span(0.0, 1.0, 0.05),
    )

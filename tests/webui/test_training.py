"""Training on the checkpoint that the real WebUI has loaded: nothing but the identity is different afterwards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webui.server import Server
from vcd_ext.identity import load_embedding

SETTINGS = {
    "name": "rexling",
    "class_word": "dog",
    "tokens": 2,
    "steps": 4,
    "batch": 2,
    "size": 64,
    "variants": 2,
    "validate_every": 2,
    "learning_rate": 0.05,
    "seed": 5,
}
LORA = "a photo of a cat <lora:tinylora:1>"


pytestmark = pytest.mark.usefixtures("_only_the_embeddings_of_before")


def learn(server: Server, name: str, **request: Any) -> dict[str, Any]:
    """Train an identity that must succeed."""
    answer = server.post("/probe/learn", settings=SETTINGS | {"name": name}, **request)
    assert answer.status_code == 200, answer.text[:2000]
    return answer.json()


def picture(server: Server, prompt: str = "a photo of a cat") -> np.ndarray:
    return server.generate(None, prompt=prompt).frames


@pytest.fixture(scope="module")
def plain(server: Server) -> dict[str, Any]:
    """Return what holds during a training on the model as it was loaded."""
    picture(server)
    return server.post("/probe/train").json()["within"]


@pytest.mark.parametrize("end", ["done", "interrupt", "error in the UNet"])
def test_the_model_is_the_same_to_the_bit_however_training_ends(server: Server, end: str) -> None:
    before = picture(server)
    run = server.post("/probe/train", end=end).json()
    assert run["after"] == run["before"]
    assert (run["error"] is None) == (end == "done")
    assert np.array_equal(picture(server), before)


@pytest.mark.parametrize(
    "state", ["hypernetwork", "tileable", "vanilla attention", "training mode", "half precision", "token merging"]
)
def test_what_changes_the_model_is_off_during_training_and_back_after_it(
    server: Server, plain: dict[str, Any], state: str
) -> None:
    run = server.post("/probe/train", state=state).json()
    if state == "token merging":
        # Its library makes a new hook each time that it is switched on.
        assert run["after"].pop("hooks") != run["before"].pop("hooks")
    assert run["after"] == run["before"]
    # Rounded to half precision the weights themselves are a little different.
    assert run["within"]["loss"] == pytest.approx(plain["loss"], rel=1e-3 if state == "half precision" else 1e-6)


def test_training_differentiates_nothing_but_the_text_and_uses_attention_that_keeps_no_matrices(server: Server) -> None:
    within = server.post("/probe/train", state="vanilla attention").json()["within"]
    assert within["attention"] == "scaled_dot_product_attention_forward"
    assert within["gradients"] == 0


def test_a_lora_of_the_last_picture_is_not_trained_with_and_still_there_after_it(
    server: Server, plain: dict[str, Any]
) -> None:
    without = picture(server)
    weights = server.get("/probe/details")["tensors"]
    before = picture(server, LORA)
    run = server.post("/probe/train").json()
    assert run["before"]["LoRAs"] == ["tinylora"]
    assert run["before"]["tensors"] != weights, "the LoRA must be on the weights"
    assert run["within"] == plain
    assert run["after"] == run["before"]
    assert np.array_equal(picture(server, LORA), before)
    assert np.array_equal(picture(server), without)


def test_hypertile_of_the_last_picture_is_off_in_training_and_back_after_it(
    server: Server, plain: dict[str, Any]
) -> None:
    with server.options(hypertile_enable_unet=True):
        before = picture(server)
        run = server.post("/probe/train").json()
        assert run["within"] == plain
        assert run["within"]["patched forwards"] == 0, "hypertile replaces the forward functions of its layers"
        assert run["after"] == run["before"]
        assert np.array_equal(picture(server), before)


def test_the_gradient_is_that_of_one_full_precision_graph_through_the_webuis_own_code(server: Server) -> None:
    cosines = server.get("/probe/gradients")
    assert set(cosines) == {"plain", "transformers twice", "all twice", "half-precision weights"}
    assert min(cosines.values()) >= 0.999, cosines


@pytest.mark.parametrize("skip", [1, 2])
def test_a_prompt_means_what_it_will_mean_in_the_webui(server: Server, skip: int) -> None:
    prompts = ["a photo of rexling", "rexling", "REXLING's dog and rexling, 2 cats; a cat", "a cat", ""]
    for prompt, (difference, size) in zip(
        prompts, server.post("/probe/texts", prompts=prompts, skip=skip).json(), strict=True
    ):
        assert difference <= 1e-6 * size, prompt


def test_a_prompt_that_is_too_long_is_refused(server: Server) -> None:
    answer = server.post("/probe/texts", prompts=["fur " * 73 + "rexling"])
    assert answer.status_code == 422
    assert "76 tokens" in answer.json()["detail"]


def test_pictures_are_encoded_as_the_webui_does_and_again_in_full_precision_where_half_overflows(
    server: Server,
) -> None:
    encoded = server.get("/probe/encodings")
    assert encoded["difference"] < 1e-4 * encoded["size"]
    assert encoded["after NaN"] < 0.05 * encoded["size"], "the weights were rounded to bfloat16"
    assert set(encoded["types"]) == {"torch.float32"}
    assert encoded["smallest deviation"] > 0
    assert encoded["put back"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no checkpoint", ["No checkpoint"]),
        ("SDXL", ["an SDXL model", "SD1.5"]),
        ("SD2", ["an SD2 model", "SD1.5"]),
        ("inpainting", ["an inpainting model", "SD1.5"]),
        ("text encoder", ["Identity", "CLIP"]),
        ("predicts x0", ["predicts x0"]),
        ("lowvram", ["--lowvram", "--medvram"]),
        ("fp8", ["FP8", "Disable"]),
        ("replaced UNet", ["Identity", "'SD Unet' to None"]),
        ("AnimateDiff", ["sd-webui-animatediff", "restart"]),
    ],
)
def test_a_model_that_cannot_be_differentiated_is_refused_by_name(
    server: Server, reason: str, words: list[str]
) -> None:
    answer = server.post("/probe/refusal", reason=reason).json()
    for word in words:
        assert word in answer["sentence"]
    assert "\n" not in answer["sentence"]
    assert answer["unchanged"]


@pytest.mark.parametrize("reason", ["restored forward", "replaced forward"])
def test_a_function_that_an_extension_has_left_is_no_reason_to_refuse(server: Server, reason: str) -> None:
    assert server.post("/probe/refusal", reason=reason).json()["sentence"] is None


def test_a_chosen_replacement_of_the_unet_is_refused_before_it_is_used(server: Server) -> None:
    with server.options(sd_unet="probe's UNet"):
        answer = server.post("/probe/train")
    assert answer.status_code == 422
    assert "probe's UNet" in answer.json()["detail"]


def test_an_identity_is_used_by_the_next_picture_also_when_it_is_replaced(server: Server) -> None:
    name, plain = "swiftling", picture(server)
    prompt = f"a photo of {name}"
    unknown = picture(server, prompt)
    first = learn(server, name)
    path = server.data / "embeddings" / f"{name}.safetensors"
    assert load_embedding(path).tolist() == first["vectors"]
    assert name in server.get("/vcd/v1/identities")
    once = picture(server, prompt)
    assert not np.array_equal(once, unknown)
    assert learn(server, name, pictures=8, replace=True)["vectors"] != first["vectors"]
    assert not np.array_equal(picture(server, prompt), once)
    assert np.array_equal(picture(server), plain)


def test_the_identity_says_what_it_was_made_with_and_the_job_shows_in_the_webuis_progress(server: Server) -> None:
    learned = learn(server, "metaling")
    assert learned["finished"]
    assert learned["metadata"]["class"] == "dog"
    assert learned["metadata"]["checkpoint"] == "tiny.safetensors"
    assert len(learned["metadata"]["checkpoint_hash"]) == 10
    assert learned["metadata"]["clip_skip"] == "1"
    assert ["Training", 4, 4, 4, "vcd-train"] in learned["told"]
    assert learned["job"] == ""


def test_the_webuis_interrupt_stops_a_training_which_can_be_gone_on_with(server: Server, tmp_path: Path) -> None:
    state = tmp_path / "halting.state"
    stopped = learn(server, "halting", state=str(state), interrupt_after=2)
    assert (stopped["finished"], stopped["steps"]) == (False, 2)
    assert not (server.data / "embeddings" / "halting.safetensors").exists()
    resumed = learn(server, "halting", state=str(state))
    assert list(tmp_path.iterdir()) == [], "the state is not needed any more"
    straight = learn(server, "halting", replace=True)
    assert resumed["vectors"] == straight["vectors"]
    assert resumed["losses"] == straight["losses"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "tinyperson"}, ["already", "tinyperson"]),
        ({"name": "TinyPerson"}, ["already", "tinyperson"]),
        ({"name": "dog"}, ["common word"]),
        ({"name": "../rex"}, ["name"]),
        ({"size": 65}, ["size", "65"]),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence_and_nothing_is_written(
    server: Server, settings: dict[str, Any], words: list[str]
) -> None:
    before = sorted((server.data / "embeddings").iterdir())
    answer = server.post("/probe/learn", settings=SETTINGS | {"name": "unmade"} | settings)
    assert answer.status_code == 422
    for word in words:
        assert word in answer.json()["detail"]
    assert sorted((server.data / "embeddings").iterdir()) == before


def test_another_programs_embedding_of_that_name_is_never_replaced(server: Server) -> None:
    theirs = server.data / "embeddings" / "folder" / "oldling.pt"
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_bytes(b"theirs")
    try:
        answer = server.post("/probe/learn", settings=SETTINGS | {"name": "oldling"}, replace=True)
    finally:
        theirs.unlink()
        theirs.parent.rmdir()
    assert answer.status_code == 422
    assert "oldling.pt" in answer.json()["detail"]

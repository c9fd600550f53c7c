"""A protocol is methods x subjects x prompts x seeds; rows share what they have in common."""

from dataclasses import asdict
from pathlib import Path

import pytest

from vcd_ext.batch.protocol import Protocol, read_protocol, reduced
from vcd_ext.batch.toml_file import PlanError, read_toml
from vcd_ext.batch.unit import TrainingWork, VideoWork
from vcd_ext.cli import demo
from vcd_ext.cli.evaluate import SHIPPED

TEXT = """
checkpoint = "tiny.safetensors"
seeds = [1, 2]
reference = "ours"
measures = ["flow", "flicker"]
[train]
steps = 3
[video]
width = 64
height = 64
frames = 4
formats = ["gif"]
[[subjects]]
name = "rex01"
class_word = "dog"
category = "animal"
photos = "photos"
[[subjects]]
name = "mia01"
class_word = "owl"
category = "animal"
photos = "photos"
[prompts]
animal = ["photo of {subject} in the snow", "photo of {subject}, running"]
[[methods]]
label = "class word"
identity = false
[[methods]]
label = "ours"
[[methods]]
label = "gamma 0"
video = {gamma = 0.0}
[[methods]]
label = "1 token"
train = {tokens = 1}
"""


def read(folder: Path, text: str = TEXT) -> Protocol:
    (folder / "compared.toml").write_text(text)
    return read_protocol(folder / "compared.toml")


def test_there_is_a_video_for_each_method_subject_prompt_and_seed(folder: Path) -> None:
    protocol = read(folder)
    assert len(protocol.cells) == 4 * 2 * 2 * 2
    assert len({cell.unit.name for cell in protocol.cells}) == 32


def test_methods_that_train_alike_share_the_identity(folder: Path) -> None:
    protocol = read(folder)
    tokens = [unit.work.settings.tokens for unit in protocol.trainings if isinstance(unit.work, TrainingWork)]
    assert sorted(tokens) == [1, 1, 4, 4], "ours and gamma 0 have one for each subject"
    assert all(unit.needs for unit in protocol.units if unit.name.startswith("videos/gamma-0/"))


def test_methods_that_make_the_same_video_share_its_file(folder: Path) -> None:
    protocol = read(folder, TEXT + '[[methods]]\nlabel = "gamma 0.15"\nvideo = {gamma = 0.15}\n')
    files = {cell.method: cell.unit.files for cell in protocol.cells if cell.seed == 1 and cell.subject == "rex01"}
    assert files["gamma 0.15"] == files["ours"]
    assert len(protocol.units) == 4 + 32


def test_the_class_word_has_no_embedding_and_an_article(folder: Path) -> None:
    works = [cell.unit.work for cell in read(folder).cells if cell.method == "class word" and cell.subject == "mia01"]
    assert all(isinstance(work, VideoWork) and not work.embeddings for work in works)
    assert works[0].picture.prompt == "photo of an owl in the snow"  # type: ignore[union-attr]


def test_all_methods_have_the_same_prompts_and_seeds(folder: Path) -> None:
    cells = read(folder).cells
    asked = {name: [(c.subject, c.prompt, c.seed) for c in cells if c.method == name] for name in ("ours", "gamma 0")}
    assert asked["ours"] == asked["gamma 0"]


def test_a_file_from_outside_can_be_a_row(folder: Path) -> None:
    for name in ("rex01", "mia01"):
        (folder / f"{name}.pt").write_bytes(b"")
    protocol = read(folder, TEXT + '[[methods]]\nlabel = "others"\nembedding = "{name}.pt"\n')
    works = [cell.unit.work for cell in protocol.cells if cell.method == "others"]
    assert {work.embeddings for work in works} == {(folder / "rex01.pt",), (folder / "mia01.pt",)}  # type: ignore[union-attr]


def test_a_lora_from_outside_can_be_a_row_with_its_own_words(folder: Path) -> None:
    for name in ("rex01", "mia01"):
        (folder / f"{name}-lora.safetensors").write_bytes(b"")
    row = '[[methods]]\nlabel = "LoRA"\nwords = "sks {class}"\nlora = "{name}-lora.safetensors"\n'
    cell = next(cell for cell in read(folder, TEXT + row).cells if cell.method == "LoRA")
    assert isinstance(cell.unit.work, VideoWork)
    assert cell.unit.work.picture.prompt == "photo of sks dog in the snow <lora:rex01-lora:1>"
    assert [path.name for path in cell.unit.work.models.loras] == ["rex01-lora.safetensors"]
    before = cell.unit.digest
    (folder / "rex01-lora.safetensors").write_bytes(b"trained again")
    assert next(cell for cell in read(folder, TEXT + row).cells if cell.method == "LoRA").unit.digest != before


def test_it_can_be_reduced_to_the_first_of_each(folder: Path) -> None:
    small = reduced(read(folder), 1, 1, 1)
    assert [cell.method for cell in small.cells] == ["class word", "ours", "gamma 0", "1 token"]
    assert len(small.units) == 2 + 4


MISTAKES = {
    "unknown key": (("reference =", "refrence ="), "unknown key refrence; did you mean reference?"),
    "unknown key of a method": (("{tokens = 1}", "{token = 1}"), "unknown key token; did you mean tokens?"),
    "missing folder": (('photos = "photos"\n[[sub', 'photos = "gone"\n[[sub'), "which does not exist"),
    "unknown category": (('animal = ["photo', 'human = ["photo'), "of the category 'animal', for which"),
    "unknown measure": (('"flicker"]', '"beauty"]'), "no measure called beauty"),
    "unknown reference": (('reference = "ours"', 'reference = "us"'), "which is no method"),
    "two outputs with one name": (('"1 token"', '"Ours"'), "Two outputs have one name"),
    "a subject twice": (('"mia01"', '"rex01"'), "Two subjects are called rex01"),
    "an embedding of nobody": (("train = {tokens = 1}", 'embedding = "a.pt"'), "has no {name} in it"),
    "a LoRA that is not there": (("train = {tokens = 1}", 'lora = "{name}.pt"'), "train it, or bring it"),
    "an embedding that is not there": (("train = {tokens = 1}", 'embedding = "{name}.pt"'), "must be a file that is"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(folder: Path, mistake: str) -> None:
    change, reason = MISTAKES[mistake]
    assert change[0] in TEXT
    with pytest.raises(PlanError) as told:
        read(folder, TEXT.replace(*change))
    assert reason in str(told.value)
    assert "\n" not in str(told.value)


def test_whose_photos_must_be_brought_is_told_with_where_from(folder: Path) -> None:
    text = TEXT.replace('photos = "photos"', 'photos = "subjects/rex"\nsource = "DreamBooth, dataset/dog"', 1)
    with pytest.raises(PlanError, match="bring them from DreamBooth, dataset/dog"):
        read(folder, text)


def test_the_drawn_worlds_protocol_paints_faces_and_tiles_as_the_demo_does() -> None:
    video = read_toml(SHIPPED / "drawn.toml")["video"]
    ours = {f"face_{name}": value for name, value in asdict(demo.FACE).items()}
    ours |= {f"tiled_{name}": value for name, value in asdict(demo.TILED).items()}
    theirs = {name: value for name, value in video.items() if name.startswith(("face_", "tiled_"))}
    assert len(theirs) == 8
    assert theirs == {name: ours[name] for name in theirs}


def test_the_papers_protocol_has_16_subjects_and_25_prompts_for_each(tmp_path: Path) -> None:
    import tomllib

    paper = tomllib.loads((SHIPPED / "paper.toml").read_text())
    assert len(paper["subjects"]) == 16
    assert len({subject["name"] for subject in paper["subjects"]}) == 16
    assert all(subject["source"] for subject in paper["subjects"])
    assert {name: len(set(prompts)) for name, prompts in paper["prompts"].items()} == {
        "human": 25, "animal": 25, "object": 25,
    }  # fmt: skip
    assert all("{subject}" in prompt for prompts in paper["prompts"].values() for prompt in prompts)
    assert len(paper["seeds"]) == 4


def test_rows_for_each_stage_make_the_video_once(folder: Path) -> None:
    rows = [f'[[methods]]\nlabel = "{label}"\nvideo = {video}\n' for label, video in (
        ("Face", "{ face = true, face_size = 64 }"),
        ("all", "{ face = true, face_size = 64, tiled = true }"),
        ("tiled", "{ tiled = true }"),
        ("longer", "{ face = true, face_size = 64, frames = 6 }"),
    )]  # fmt: skip
    protocol = read(folder, TEXT + "".join(rows))
    one = [cell for cell in protocol.cells if cell.subject == "rex01" and cell.seed == 1 and cell.prompt.endswith("g")]
    found = {cell.method: (cell.unit.name.split("/")[1], cell.stage) for cell in one}
    assert (found["ours"], found["Face"], found["all"]) == (("all", "T2V VCD"), ("all", "Face VCD"), ("all", ""))
    assert (found["tiled"], found["longer"]) == (("tiled", ""), ("longer", ""))
    whole = next(cell.unit for cell in one if cell.method == "all")
    assert isinstance(whole.work, VideoWork)
    assert whole.work.video.save_stages
    assert [file.name.rpartition("_")[2] for file in whole.also] == ["seed1-t2v.gif", "seed1-face.gif"]
    assert len({cell.file for cell in one}) == len(one)

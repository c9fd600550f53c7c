"""What a prompt asks for and nobody does is told; an identity's name is written so that the WebUI reads it."""

import torch

from tests.webui.server import Server


def test_what_nobody_reads_is_told(server: Server) -> None:
    prompt = "a dog <lora:v2_lora_PanLeft:1> <segment:dog> <lora:tinylora:0.5>\n0:in spring\n8:in a {hot|cold} winter"
    notes = server.generate({"frames": 2}, prompt=prompt).info["extra_generation_params"]["VCD notes"]
    for words in ("v2_lora_PanLeft is a motion LoRA", "<segment:dog>, a kind of network", "a key frame", "choice"):
        assert sum(words in note for note in notes) == 1, notes
    assert not any("tinylora" in note for note in notes)


def test_a_name_with_brackets_reaches_the_text_encoder(server: Server) -> None:
    file = server.data / "embeddings" / "tiny (1).pt"
    torch.save({"string_to_param": {"*": torch.full((2, 64), 0.3)}, "name": "x"}, file)
    try:
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()
        result = server.generate({"frames": 2, "identity": "tiny (1)"}, prompt="a (dog:1.2) <lora:tiny (1):0>")
        prompt = result.info["prompt"]
        assert prompt.endswith(r"<lora:tiny (1):0>, tiny \(1\)")
        [[[_, [[_, _, chunks]]]]] = server.post("/probe/prompts", prompts=[r"a dog, tiny \(1\)"], steps=2).json()
        assert chunks[0][2] == ["tiny (1)"]
    finally:
        file.unlink()
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()

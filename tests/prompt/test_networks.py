"""LoRAs that a prompt asks for."""

import pytest

from vcd_ext.prompt.networks import called_loras, check_no_networks, without_loras

KNOWN = {"pan", "zoom"}


@pytest.mark.parametrize(
    ("written", "unet", "text"),
    [
        ("<lora:pan>", 1.0, 1.0),
        ("<lora:pan:0.8>", 0.8, 0.8),
        ("<lora:pan:0.8:0.3>", 0.3, 0.8),
        ("<lyco:pan:-1>", -1.0, -1.0),
        ("<lora:pan:te=0.2:unet=0.4>", 0.4, 0.2),
        ("<lora:pan:te=0.2>", 0.2, 0.2),
    ],
)
def test_weights_are_read_as_the_webui_reads_them(written: str, unet: float, text: float) -> None:
    assert called_loras(f"a cat {written} on grass", KNOWN) == [("pan", unet, text)]


def test_several_in_their_order_and_no_others() -> None:
    prompt = "a <lora:zoom:1> b <lora:other:1> <hypernet:pan:1>\n# <lora:pan:2>\nc <lora:pan:0.5>"
    assert called_loras(prompt, KNOWN) == [("zoom", 1.0, 1.0), ("pan", 0.5, 0.5)]
    assert without_loras("a <lora:zoom:1> b <lora:other:1>", KNOWN) == "a  b <lora:other:1>"


def test_those_that_are_known_may_be_in_a_prompt() -> None:
    check_no_networks("a cat <lora:pan:0.8>", known=KNOWN)
    with pytest.raises(ValueError, match="The prompt has <lora:other:1>, which is not among the LoRAs that were given"):
        check_no_networks("a cat <lora:pan:0.8> <lora:other:1>", known=KNOWN)


def test_a_weight_that_is_no_number() -> None:
    with pytest.raises(ValueError, match="has <lora:pan:much>, whose weight is no number; write it as <lora:pan:0.8>"):
        called_loras("<lora:pan:much>", KNOWN)

"""How many steps an img2img of the WebUI runs.

By itself the WebUI runs one step more than the strength asks for where `steps * strength` is a whole number, and as
many as the slider says if the person has chosen so.
"""

# What the samplers that go by time steps leave out of what they are asked for: the step whose noise is put in, and
# those that lead to no noise at all.
LEFT_OUT = {"DDIM": 2, "DDIM CFG++": 2, "PLMS": 2, "UniPC": 1}


def request(sampler: str, steps: int, count: int) -> tuple[int, float]:
    """With which `steps` and strength `Sampler.sample_img2img` runs the last `count` steps of a schedule of `steps`.

    Whatever the WebUI's settings are: it makes a schedule of int(asked / strength) steps.
    """
    asked = min(count + LEFT_OUT.get(sampler, 0), steps)
    return asked, asked / (steps + 0.5)

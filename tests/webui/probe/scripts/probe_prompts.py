"""How the WebUI itself reads prompts: its parser and the chunks of its text encoder."""

from modules import prompt_parser, script_callbacks, shared


def read(asked: dict):
    """For each prompt its parts, what they say at which step, and tokens, weights and embeddings of their chunks."""
    return [[[weight, told(text, asked["steps"])] for text, weight in of(prompt)] for prompt in asked["prompts"]]


def of(prompt):
    [indices], texts, _ = prompt_parser.get_multicond_prompt_list([prompt])
    return [(texts[index], weight) for index, weight in indices]


def told(text, steps):
    [schedule] = prompt_parser.get_learned_conditioning_prompt_schedules([text], steps)
    return [[end, said, chunks(said)] for end, said in schedule]


def chunks(text):
    found, _ = shared.sd_model.cond_stage_model.tokenize_line(text)
    return [[chunk.tokens, chunk.multipliers, [fix.embedding.name for fix in chunk.fixes]] for chunk in found]


def routes(_page, app):
    """Add the tests' route."""
    app.add_api_route("/probe/prompts", read, methods=["POST"])


script_callbacks.on_app_started(routes)

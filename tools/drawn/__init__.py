"""The second edition of the drawn world: people, dogs and cats in scenes, moving, true in every pixel and word.

`world.sample(seed, split)` decides everything about a clip, `world.render(spec)` draws it. Drawing needs numpy and
OpenCV only. It takes the place of `tools.toyworld` when its weights ship: see `README.md` here.
"""

"""A small drawn world: people, dogs and cats in scenes, moving, true in every pixel and word; and its trainings.

`world.sample(seed, split)` decides everything about a clip, `world.render(spec)` draws it. Drawing needs numpy and
OpenCV only.
"""

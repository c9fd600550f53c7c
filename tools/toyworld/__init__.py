"""A small drawn world: people, dogs and cats in scenes, moving, with their truth known for every pixel.

`world.sample(seed, split)` decides everything about a clip, `world.render(spec)` draws it. Needs numpy and OpenCV only.
"""

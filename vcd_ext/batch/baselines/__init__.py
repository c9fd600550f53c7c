"""The comparison's other methods of learning a subject, for evaluations alone: LoRA, DreamBooth, Custom Diffusion.

They learn from the same variants of the same photos, whole, with the same noise as the ID module does.
"""

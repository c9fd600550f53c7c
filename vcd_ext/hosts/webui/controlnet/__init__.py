"""Give sd-webui-controlnet's units a hint for each frame, where that extension is there."""

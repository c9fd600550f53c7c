"""The tabs: built on a `vcd_ext.studio.Studio`, so that they run in the WebUI and without it (Gradio 3.41.2)."""

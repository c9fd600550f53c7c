"""The tabs: built on a `vcd_ext.jobs.studio.Studio`, so that they run in the WebUI and without it (Gradio 3.41.2)."""

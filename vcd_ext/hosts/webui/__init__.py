"""Lend the WebUI as host: the only package that imports the WebUI's `modules`."""

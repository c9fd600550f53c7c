"""What VCD adds to the WebUI's page and routes: the section, the tab, the axes of X/Y/Z plots."""

"""The WebUI's way in: it runs every file in this folder, so there is exactly one, and nothing else happens here."""

from vcd_ext.hosts.webui import capabilities

if (thing := capabilities.missing()) is None:
    from vcd_ext.hosts.webui.script import VCDScript, register

    __all__ = ["VCDScript"]

    register()
else:
    capabilities.tell(thing)

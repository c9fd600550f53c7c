"""Write settings as a table for the docs."""

from vcd_ext.settings.setting import default, describe


def markdown_table(cls: type) -> str:
    """Return the settings as a Markdown table, for docs/settings.md."""
    rows = ["| setting | key | default | values | what it does |", "|---|---|---|---|---|"]
    for name, setting in describe(cls).items():
        value = default(cls, name)
        shown = " ".join(value) if isinstance(value, tuple) else value
        values = ", ".join(setting.choices or ()) or (
            "" if setting.minimum is None else f"{setting.minimum:g} to {setting.maximum:g}"
        )
        rows.append(f"| {setting.label} | `{name}` | {shown} | {values} | {setting.help} |")
    return "\n".join(rows)

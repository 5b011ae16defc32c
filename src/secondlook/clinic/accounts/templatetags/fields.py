"""One look for every field of a form, allauth's too: label, control, hint and what is wrong with it."""

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.utils.html import format_html
from django.utils.translation import gettext as _

register = template.Library()
# In this order: browsers name those that they descend from.
BROWSERS = {"Firefox/": "Firefox", "Edg/": "Edge", "OPR/": "Opera", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}
SPOKEN = "aria-describedby"


@register.inclusion_tag("accounts/_field.html")
def field(bound: BoundField, label: str = "", check: str = "", hint: str | None = None) -> dict[str, Any]:
    """Show a field.

    Args:
        bound: The field.
        label: Label in place of its own.
        check: Address that is asked what is wrong with the field as soon as it is filled in.
        hint: Hint in place of its own.
    """
    widget = bound.field.widget
    widget.attrs.pop("placeholder", None)  # a label that goes away when it is needed
    shown_hint = bound.help_text if hint is None else hint
    attrs: dict[str, str | bool] = {"class": choose_class(bound), SPOKEN: describe(bound, bool(shown_hint))}
    if bound.errors:
        attrs["aria-invalid"] = "true"
        attrs["autofocus"] = bound.name == next(name for name in bound.form.fields if name in bound.form.errors)
    if check:
        attrs |= {"hx-post": check, "hx-trigger": "change", "hx-target": f"#{bound.auto_id}_error"}
    several = isinstance(widget, CheckboxSelectMultiple | RadioSelect)
    opened = bound.as_hidden(only_initial=True) if bound.field.show_hidden_initial else ""
    return {
        "field": bound,
        "control": None if several else format_html("{}{}", bound.as_widget(attrs=attrs), opened),
        "several": several,
        "ticked": isinstance(widget, CheckboxInput),
        "label": label or bound.label,
        "hint": shown_hint,
        "optional": not bound.field.required,
    }


def choose_class(bound: BoundField) -> str:
    """Return the class that makes a control look like the site's."""
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"


def describe(bound: BoundField, has_hint: bool) -> str:
    """Return what a screen reader reads with a control: its hint, and what is wrong with it."""
    return f"{bound.auto_id}_helptext {bound.auto_id}_error" if has_hint else f"{bound.auto_id}_error"


@register.filter
def browser_name(agent: str) -> str:
    """Return what people call the browser and system that a user agent stands for."""
    browser = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return ", ".join(filter(None, (browser, system))) or agent[:60] or _("Unknown")

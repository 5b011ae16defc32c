"""Parts of pages that others show: similar confirmed cases beside a result."""

from typing import Any

from django import template

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.cases.models import Result
from secondlook.clinic.timeline.similar import find_similar

register = template.Library()


@register.inclusion_tag("timeline/_similar.html", takes_context=True)
def similar_cases(context: dict[str, Any], result: Result) -> dict[str, Any]:
    """Show the practice's confirmed cases most like a result's picture; nothing where there is none."""
    actor: Actor = context["request"].actor
    return {"alike": find_similar(actor, result)}

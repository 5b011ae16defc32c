"""Pages of a lesion over time."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from secondlook.clinic.accounts.actors import Actor, get_actor
from secondlook.clinic.audit.services import record
from secondlook.clinic.cases.models import Lesion, Picture
from secondlook.clinic.refusals import refuse_error
from secondlook.clinic.timeline.course import compare_pictures, list_photographs, measure_noise
from secondlook.clinic.timeline.pairs import draw_pair
from secondlook.clinic.timeline.presentation import present_comparison, present_course
from secondlook.clinic.timeline.standings import rank_lesions
from secondlook.errors import SecondlookError

LEAST_PICTURES = 2


@require_GET
def show_timeline(request: HttpRequest, key: str) -> HttpResponse:
    """Show a lesion's pictures, two of them compared, and how the lesion stands among others. For clinicians."""
    actor = get_actor(request)
    lesion = find_lesion(actor, key)
    pictures = list_photographs(actor, lesion)
    context = {"lesion": lesion, "patient": lesion.patient, "pictures": pictures}
    try:
        if len(pictures) >= LEAST_PICTURES:
            earlier, later = choose_pair(request, pictures)
            comparison = compare_pictures(earlier, later, noise=measure_noise(pictures))
            context |= {"comparison": present_comparison(comparison), "chosen": (earlier, later)}
        context |= {"standings": rank_lesions(actor, lesion)}
    except SecondlookError as error:
        return refuse_error(request, error)
    record(actor, "timeline.seen", about=lesion)
    return render(request, "timeline/timeline.html", context)


@require_GET
def show_course(request: HttpRequest, key: str) -> HttpResponse:
    """Show every picture of a lesion against the first: a page, or its part where htmx asks. For clinicians."""
    actor = get_actor(request)
    lesion = find_lesion(actor, key)
    pictures = list_photographs(actor, lesion)
    try:
        noise = measure_noise(pictures)
        steps = [compare_pictures(pictures[0], later, noise=noise) for later in pictures[1:]]
    except SecondlookError as error:
        return refuse_error(request, error)
    context = {"lesion": lesion, "patient": lesion.patient, "first": pictures[:1], "course": present_course(steps)}
    template = "timeline/_course.html" if "HX-Request" in request.headers else "timeline/course.html"
    return render(request, template, context)


@require_GET
def serve_difference(request: HttpRequest, key: str) -> HttpResponse:
    """Serve where two pictures of a lesion differ, to lay over the earlier one. For clinicians."""
    actor = get_actor(request)
    lesion = find_lesion(actor, key)
    pictures = list_photographs(actor, lesion)
    if len(pictures) < LEAST_PICTURES:
        raise Http404
    earlier, later = choose_pair(request, pictures)
    try:
        png = draw_pair(earlier.shown, later.shown)
    except SecondlookError as error:
        return refuse_error(request, error)
    if png is None:
        raise Http404
    return HttpResponse(png, content_type="image/png")


def find_lesion(actor: Actor, key: str) -> Lesion:
    """Return a lesion that the actor may see."""
    return get_object_or_404(Lesion.objects.seen_by(actor).select_related("patient"), key=key)


def choose_pair(request: HttpRequest, pictures: list[Picture]) -> tuple[Picture, Picture]:
    """Return the two pictures that are asked for, the earlier first; the first and the last where none are."""
    asked = [request.GET.get(name) for name in ("from", "to")]
    places = [next((place for place, one in enumerate(pictures) if one.key == key), None) for key in asked]
    first = places[0] if places[0] is not None else 0
    last = places[1] if places[1] is not None else len(pictures) - 1
    if first == last:
        first, last = (0, last) if last else (0, len(pictures) - 1)
    return pictures[min(first, last)], pictures[max(first, last)]

"""Where everything is."""

from django.urls import include, path
from django.views.i18n import set_language

from secondlook.clinic.api.protocol import routes as protocol
from secondlook.clinic.api.routes import api
from secondlook.clinic.look.views import list_models, show_card, show_page

urlpatterns = [
    path("", include("secondlook.clinic.home.urls")),
    path("", include("secondlook.clinic.cases.urls")),
    path("", include("secondlook.clinic.timeline.urls")),
    path("reports/", include("secondlook.clinic.reports.urls")),
    path("demo/", include("secondlook.clinic.demo.urls")),
    path("try/", show_page, name="page"),
    path("models/", list_models, name="models"),
    path("models/<str:name>/", show_card, name="card"),
    path("models/<str:name>/<str:page>", show_card, name="card_page"),
    path("language/", set_language, name="set_language"),
    path("", include("secondlook.clinic.keeping.urls")),
    path("audit/", include("secondlook.clinic.audit.urls")),
    path("account/tokens/", include("secondlook.clinic.api.urls")),
    path("account/", include("secondlook.clinic.accounts.urls")),
    path("people/", include("secondlook.clinic.accounts.people_urls")),
    path("api/v1/", api.urls),
    path("v2", protocol.show_server, name="v2"),
    path("v2/", protocol.api.urls),
]
handler400 = "secondlook.clinic.refusals.refuse_bad_request"
handler403 = "secondlook.clinic.refusals.refuse_denied"
handler404 = "secondlook.clinic.refusals.refuse_unknown"
handler429 = "secondlook.clinic.accounts.lockout.refuse_frequent"
handler500 = "secondlook.clinic.refusals.refuse_failed"

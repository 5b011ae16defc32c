"""Addresses of one's own account; those for log-in, passwords and second factors are allauth's."""

from django.urls import include, path

from secondlook.clinic.accounts import entrance, views

own = [
    path("", views.show_account, name="overview"),
    path("details/", views.edit_details, name="details"),
    path("practice/", views.switch_practice, name="switch"),
    path("sessions/end/", views.end_session, name="end_session"),
    path("join/", views.join, name="join"),
    path("delete/", views.delete, name="delete"),
    path("check/<str:name>/", entrance.check_field, name="check"),
    path("first/<str:token>/", entrance.found_first, name="first"),
    path("invitation/<str:token>/", entrance.show_invitation, name="invitation"),
]
urlpatterns = [path("", include((own, "own"))), path("", include("allauth.urls"))]

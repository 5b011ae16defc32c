"""Addresses of a practice's people and settings, and of the site's practices."""

from django.urls import path

from secondlook.clinic.accounts import people

app_name = "people"
urlpatterns = [
    path("", people.list_members, name="list"),
    path("invite/", people.invite, name="invite"),
    path("invitations/<str:key>/revoke/", people.revoke, name="revoke"),
    path("invitations/<str:key>/restore/", people.restore, name="restore"),
    path("patients/<str:key>/", people.invite_patient, name="invite_patient"),
    path("practice/", people.edit_practice, name="practice"),
    path("practices/", people.list_practices, name="practices"),
    path("person/<str:key>/", people.edit_roles, name="roles"),
    path("person/<str:key>/hold/<str:roles>/", people.hold_roles, name="hold"),
]

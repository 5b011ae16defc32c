"""Addresses of a lesion's timeline."""

from django.urls import path

from secondlook.clinic.timeline import views

app_name = "timeline"
urlpatterns = [
    path("lesions/<str:key>/timeline/", views.show_timeline, name="lesion"),
    path("lesions/<str:key>/timeline/course/", views.show_course, name="course"),
    path("lesions/<str:key>/timeline/difference.png", views.serve_difference, name="difference"),
]

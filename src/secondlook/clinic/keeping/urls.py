"""Addresses of what a patient may ask for."""

from django.urls import path

from secondlook.clinic.keeping import views

app_name = "keeping"
urlpatterns = [
    path("patients/<str:key>/data/", views.show_data, name="data"),
    path("patients/<str:key>/data/all.zip", views.hand_out, name="export"),
    path("patients/<str:key>/data/erase/", views.erase, name="erase"),
    path("patients/<str:key>/erased/", views.show_proof, name="proof"),
]

"""Addresses of patients, lesions, visits, pictures and results."""

from django.urls import path

from secondlook.clinic.cases import answers, exports, lesions, lists, opinions, patients, pictures, visits

app_name = "cases"
urlpatterns = [
    path("patients/", lists.list_patients, name="patients"),
    path("patients/new/", patients.new_patient, name="new_patient"),
    path("patients/<str:key>/", patients.show_patient, name="patient"),
    path("patients/<str:key>/edit/", patients.edit_patient, name="edit_patient"),
    path("patients/<str:key>/remove/", patients.remove_patient, name="remove_patient"),
    path("patients/<str:key>/restore/", patients.restore_patient, name="restore_patient"),
    path("patients/<str:key>/lesions/new/", lesions.new_lesion, name="new_lesion"),
    path("patients/<str:key>/visits/new/", visits.new_visit, name="new_visit"),
    path("lesions/", lists.list_lesions, name="lesions"),
    path("lesions/<str:key>/", lesions.show_lesion, name="lesion"),
    path("lesions/<str:key>/edit/", lesions.edit_lesion, name="edit_lesion"),
    path("lesions/<str:key>/remove/", lesions.remove_lesion, name="remove_lesion"),
    path("lesions/<str:key>/restore/", lesions.restore_lesion, name="restore_lesion"),
    path("visits/<str:key>/", visits.show_visit, name="visit"),
    path("visits/<str:key>/edit/", visits.edit_visit, name="edit_visit"),
    path("visits/<str:key>/remove/", visits.remove_visit, name="remove_visit"),
    path("visits/<str:key>/restore/", visits.restore_visit, name="restore_visit"),
    path("visits/<str:key>/pictures/", pictures.send_pictures, name="send"),
    path("pictures/check/", pictures.check_picture, name="check"),
    path("pictures/<str:key>/", answers.show_picture, name="picture"),
    path("pictures/<str:key>/shown.jpg", pictures.serve_shown, name="shown"),
    path("pictures/<str:key>/small.jpg", pictures.serve_small, name="small"),
    path("pictures/<str:key>/ask/", answers.ask, name="ask"),
    path("pictures/<str:key>/acknowledge/", opinions.acknowledge, name="acknowledge"),
    path("pictures/<str:key>/remove/", pictures.remove, name="remove_picture"),
    path("pictures/<str:key>/restore/", pictures.restore, name="restore_picture"),
    path("results/", lists.list_results, name="results"),
    path("results/export/", exports.show_export, name="export"),
    path("results/<str:key>/", answers.show_result, name="result"),
    path("results/<str:key>/reproduce/", answers.reproduce, name="reproduce"),
    path("results/<str:key>/opinion/", opinions.give, name="opinion"),
    path("review/", opinions.show_queue, name="queue"),
]

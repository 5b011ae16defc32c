"""How a refused picture is worded, in English and in French: what was expected, what came, what to do.

Sentences are put together from phrases, which are written in English where they are used; the French ones are here.
"""

from collections.abc import Mapping
from typing import Final

from secondlook.errors import InputError

_SENT_AGAIN: Final = (
    "Envoyez de nouveau l’original, ou ouvrez-le dans une visionneuse et enregistrez-le en JPEG ou PNG."
)
_SAVED: Final = "Enregistrez l’image en JPEG ou PNG et envoyez le résultat."
_STILL: Final = "Prenez une photo, ou enregistrez une image de la vidéo en JPEG, et envoyez-la."
_EXPORTED: Final = "Exportez la page ou l’image qu’elle contient en JPEG ou PNG et envoyez le résultat."

FRENCH: Final[Mapping[str, str]] = {
    # Expected
    "a picture (JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or DICOM)": (
        "une image (JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC ou DICOM)"
    ),
    "a picture (JPEG, PNG, WebP, TIFF, BMP, GIF or DICOM)": "une image (JPEG, PNG, WebP, TIFF, BMP, GIF ou DICOM)",
    "a JPEG, PNG, WebP, TIFF, BMP or GIF picture": "une image JPEG, PNG, WebP, TIFF, BMP ou GIF",
    "one X-ray or photograph as DICOM (CR, DX, XC or OT)": "une radiographie ou photo en DICOM (CR, DX, XC ou OT)",
    "a picture of at most {limit} megapixels": "une image de {limit} mégapixels au plus",
    "a picture that takes at most {limit} MB to decode": "une image dont le décodage prend {limit} Mo au plus",
    "a file of at most {limit} MB": "un fichier de {limit} Mo au plus",
    # Files that are too large or damaged
    "an empty file": "un fichier vide",
    "a larger one": "un fichier plus grand",
    "a {kind} file that claims {width} × {height} ({megapixels:.0f} megapixels)": (
        "un fichier {kind} qui annonce {width} × {height} ({megapixels:.0f} mégapixels)"
    ),
    "a {kind} file of {width} × {height} pixels that takes {needed:.0f} MB": (
        "un fichier {kind} de {width} × {height} pixels qui prend {needed:.0f} Mo"
    ),
    "a {kind} file that is damaged, cut short or of a rare kind{detail}": (
        "un fichier {kind} endommagé, tronqué ou d’un type rare"
    ),
    "a HEIC one, which needs an extra library here": ("une image HEIC, pour laquelle une bibliothèque manque ici"),
    "a DICOM file that begins as a file of another kind, as programs in disguise do": (
        "un fichier DICOM qui commence comme un fichier d’un autre type, tel un programme déguisé"
    ),
    # Files that are no pictures
    "a PDF document": "un document PDF",
    "a PostScript document": "un document PostScript",
    "a text document": "un document de texte",
    "an Office document": "un document Office",
    "a ZIP archive or an Office document": "une archive ZIP ou un document Office",
    "an empty ZIP archive": "une archive ZIP vide",
    "a gzip archive": "une archive gzip",
    "a 7z archive": "une archive 7z",
    "a RAR archive": "une archive RAR",
    "a WebM or Matroska video": "une vidéo WebM ou Matroska",
    "an MPEG video": "une vidéo MPEG",
    "a Flash video": "une vidéo Flash",
    "an AVI video": "une vidéo AVI",
    "a sound recording": "un enregistrement sonore",
    "an AVIF picture": "une image AVIF",
    "a camera's raw file": "un fichier brut d’appareil photo",
    "an MP4 or QuickTime video": "une vidéo MP4 ou QuickTime",
    "a QuickTime video": "une vidéo QuickTime",
    "a JPEG 2000 picture": "une image JPEG 2000",
    "a JPEG XL picture": "une image JPEG XL",
    "a Photoshop document": "un document Photoshop",
    "a program": "un programme",
    "an SVG drawing": "un dessin SVG",
    "a web page": "une page web",
    "an XML file": "un fichier XML",
    "a text file": "un fichier de texte",
    "a file of an unknown kind": "un fichier d’un type inconnu",
    # DICOM files of another kind
    "a file without pixel data": "un fichier sans image",
    "a DICOMDIR, which lists other files": "un DICOMDIR, qui énumère d’autres fichiers",
    "{other} ({modality})": "{other} ({modality})",
    "a file of another or no modality": "un fichier d’une autre modalité, ou sans modalité",
    "a series of {frames} pictures in one file": "une série de {frames} images dans un fichier",
    "an X-ray in colour": "une radiographie en couleurs",
    "a picture whose colours are stored in a rare or unknown way": "une image aux couleurs codées de façon rare",
    "a picture of {allocated} bits a sample, of which {stored} count": (
        "une image de {allocated} bits par échantillon, dont {stored} comptent"
    ),
    "one compressed as {compression}": "une image comprimée sous une forme qui n’est pas lue ({compression})",
    # What to do
    "Check that the upload or copy was complete.": "Vérifiez que l’envoi ou la copie était complet.",
    "Send the original once more, or open it in a picture viewer and save it anew as JPEG or PNG.": _SENT_AGAIN,
    "Save it smaller and send that.": "Enregistrez l’image en plus petit et envoyez le résultat.",
    "Save it as JPEG or smaller, and send that.": (
        "Enregistrez l’image en JPEG ou en plus petit et envoyez le résultat."
    ),
    "Save the picture as JPEG, or smaller, and send that.": "Enregistrez l’image en JPEG ou plus petite et envoyez-la.",
    "Save the picture as JPEG; or have it installed: pip install 'secondlook[heic]'.": (
        "Enregistrez l’image en JPEG, ou faites installer la bibliothèque : pip install 'secondlook[heic]'."
    ),
    "Do not open it; have the picture exported anew from the archive, and send that.": (
        "Ne l’ouvrez pas ; faites exporter de nouveau l’image depuis l’archive et envoyez-la."
    ),
    "Save it as a JPEG or PNG picture and send that.": _SAVED,
    "Take a still photograph, or save one frame as a JPEG picture, and send that.": _STILL,
    "Export the page or the picture in it as JPEG or PNG and send that.": _EXPORTED,
    "Send the photograph itself, as it came from the camera.": "Envoyez la photo elle-même, telle que prise.",
    "Unpack it and send the pictures in it.": "Décompressez-la et envoyez les images qu’elle contient.",
    "Save the picture that it shows, not the page, and send that.": "Enregistrez l’image qu’elle montre, non la page.",
    "Check that it opens in a picture viewer; then save it as JPEG or PNG.": (
        "Vérifiez qu’il s’ouvre dans une visionneuse, puis enregistrez-le en JPEG ou PNG."
    ),
    "Export the picture as JPEG or PNG from the program that shows it, and send that.": (
        "Exportez l’image en JPEG ou PNG depuis le programme qui l’affiche et envoyez-la."
    ),
    "Have it exported again, whole, and send that.": "Faites-le exporter de nouveau, en entier, et envoyez-le.",
    "Send one of the files that it lists.": "Envoyez l’un des fichiers qu’il énumère.",
    "Export one of them as JPEG or PNG and send that.": "Exportez-en une en JPEG ou PNG et envoyez-la.",
    # Other kinds of DICOM
    "a slice of a computed tomography": "une coupe de scanner",
    "a slice of a magnetic resonance tomography": "une coupe d’IRM",
    "an ultrasound picture": "une échographie",
    "a microscope slide": "une lame de microscope",
    "a microscope picture": "une image de microscope",
    "a nuclear medicine picture": "une image de médecine nucléaire",
    "a slice of a positron emission tomography": "une coupe de TEP",
    "a mammogram": "une mammographie",
    "an angiogram": "une angiographie",
    "a fluoroscopy": "une radioscopie",
    "an endoscopy": "une endoscopie",
    "a picture of the eye": "une image de l’œil",
    "a tomogram of the eye": "une tomographie de l’œil",
    "a dental X-ray": "une radiographie dentaire",
    "a dental panorama": "un panoramique dentaire",
    "an electrocardiogram": "un électrocardiogramme",
    "a report": "un compte rendu",
    "a document": "un document",
    "a presentation state": "un état de présentation",
    "a list of key pictures": "une liste d’images clés",
    "a segmentation": "une segmentation",
    "JPEG-LS": "JPEG-LS",
    "JPEG of 12 bits": "JPEG à 12 bits",
    "high-throughput JPEG 2000": "JPEG 2000 à haut débit",
    "a film or in a rare way": "film, ou forme rare",
}


def refuse(expected: str, found: str, advice: str, **facts: object) -> InputError:
    """Return the refusal of a picture.

    Args:
        expected: What was expected, a phrase of ``FRENCH`` with places for facts; and so are the others.
        found: What came instead.
        advice: What to do, a sentence.
        facts: What goes into the places; a fact that is a phrase itself is translated, too.
    """
    translated = {name: FRENCH.get(fact, fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    return InputError(
        f"Expected {expected}, got {found}. {advice}".format(**facts),
        french=f"Attendu : {FRENCH[expected]}. Reçu : {FRENCH[found]}. {FRENCH[advice]}".format(**translated),
    )

"""What networks are trained on and how large they are: images, or text.

A search and a final training know nothing else of the kind of data.
"""

from naokit.subjects.images import ImageSubject, image_settings
from naokit.subjects.subject import Subject
from naokit.subjects.text import TextSubject

__all__ = ["ImageSubject", "Subject", "TextSubject", "image_settings"]

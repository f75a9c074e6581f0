"""Front ends' own formats: one module for each form builder, and the desk that keeps what they send."""

from hub.intake.forms.door import router

__all__ = ["router"]

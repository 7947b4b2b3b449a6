"""Stable Diffusion, opened up, running live on a laptop.

The front door: each name is fetched from its module when it is first used."""

__version__ = "0.1.0"

_where = {
    'load_models': 'models.load', 'Models': 'models.load',
    'generate': 'pipeline.generate', 'image_to_image': 'pipeline.edit',
    'Trace': 'base.trace',
    'Quiz': 'quiz.faces.panel',
    'run_probe': 'quiz.probe.runs',
    'image_grid': 'base.images', 'to_tensor': 'base.images', 'to_pil': 'base.images',
    'Settings': 'base.settings',
    'CourseError': 'base.errors', 'BadInput': 'base.errors',
}
__all__ = [
    'load_models', 'Models', 'generate', 'image_to_image', 'Trace', 'Quiz', 'run_probe',
    'image_grid', 'to_tensor', 'to_pil', 'Settings', 'CourseError', 'BadInput',
]

def __getattr__(name):
    from importlib import import_module
    if name not in _where:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_where[name]}'), name)

def __dir__():
    return sorted({*globals(), *__all__})

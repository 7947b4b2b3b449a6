"Sphinx settings of the site. Everything it needs lies in _static: no page asks the network for anything."

project, author, copyright = 'diffcourse', 'the diffcourse authors', '2026, the diffcourse authors'
extensions = ['myst_nb']
exclude_patterns = ['_build']
suppress_warnings = ['misc.highlighting_failure', 'mystnb.unknown_mime_type', 'myst.header']

nb_execution_mode = 'off'  # build.py has run them
nb_render_markdown_format = 'myst'
nb_merge_streams = True
nb_number_source_lines = False
nb_ipywidgets_js = {'html-manager/embed.js': {}}
myst_enable_extensions = ['dollarmath', 'amsmath', 'colon_fence', 'attrs_inline', 'deflist', 'html_image']
myst_heading_anchors = 4
mathjax_path = 'mathjax/tex-chtml-full.js'
mathjax3_config = {'options': {'enableMenu': False}}

html_theme = 'furo'
html_title = 'diffcourse'
html_static_path = ['_static']
html_css_files = ['course.css']
html_js_files = [('course.js', {'priority': 100})]  # before MathJax and the widgets
html_favicon = '_static/favicon.svg'
html_copy_source = html_show_sourcelink = html_show_sphinx = False
html_last_updated_fmt = None
html_show_search_summary = False  # it fetches the pages that were found, which browsers forbid for files
pygments_style, pygments_dark_style = 'github-light-high-contrast', 'github-dark'

_sans = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", '
    'sans-serif'
)
html_theme_options = {
    'navigation_with_keys': False,  # arrow keys belong to the sliders
    'top_of_page_buttons': [],
    'light_css_variables': {
        'font-stack': _sans,
        'font-stack--headings': (
            'Charter, "Bitstream Charter", "Iowan Old Style", "Noto Serif", "Liberation Serif", Georgia, '
            'serif'
        ),
        'color-brand-primary': '#2654b6',
        'color-brand-content': '#2654b6',
        'color-brand-visited': '#6b3c94',
        'color-background-primary': '#fffefb',
        'color-background-secondary': '#f7f4ec',
        'color-background-border': '#e6e1d3',
        'color-foreground-primary': '#212129',
        'color-foreground-secondary': '#585866',
        'color-foreground-muted': '#686873',
        'color-code-background': '#f7f4ec',
        'color-inline-code-background': '#f3efe4',
    },
    'dark_css_variables': {
        'color-brand-primary': '#9db8ff',
        'color-brand-content': '#9db8ff',
        'color-brand-visited': '#c9a5e6',
        'color-background-primary': '#16171d',
        'color-background-secondary': '#1d1f27',
        'color-background-border': '#2f323d',
        'color-foreground-primary': '#e6e4df',
        'color-foreground-secondary': '#b0b0bb',
        'color-foreground-muted': '#9a9aa6',
        'color-code-background': '#1d1f27',
        'color-inline-code-background': '#262933',
    },
}

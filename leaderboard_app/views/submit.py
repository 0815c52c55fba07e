"""See leaderboard_app/submit/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.submit.page import show

show()

"""See leaderboard_app/embedding/page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.embedding.page import show

show()

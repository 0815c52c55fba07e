"""See leaderboard_app/embedding_page.py; Streamlit runs this file when the address names it."""

from leaderboard_app.embedding_page import show

show()

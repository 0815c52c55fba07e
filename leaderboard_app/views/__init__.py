"""The pages that Streamlit runs, one file for each path of the address."""

"""Voices: text in, sound and exact phone times out."""

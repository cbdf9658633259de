"""How people are told of alerts: each channel delivers a notification and says done, retry or give up."""

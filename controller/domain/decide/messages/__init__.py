"""The sentences that decisions say: on the Deployment (annotation `message`), in its outcomes, and
in the notices that people are told. A fault of a manifest is worded where it is raised.
"""

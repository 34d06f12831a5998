"""The review of parcels (出域审查流程): states, votes, questions, notices and the seal of an approved parcel."""

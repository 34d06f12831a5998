"""What a model and its evidence may disclose about single subjects: floors, cuts, recounted leaves, merged parts."""

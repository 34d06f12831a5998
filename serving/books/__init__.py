"""What is answered from: snapshots and dossiers, opened from the shelf, verified, mapped, swapped whole."""

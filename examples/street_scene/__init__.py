"""The parts of the drawn street: solids, cars, their paint and plates, the street, the camera."""

"""Any image file → pixels: what Pillow reads, DICOM, JSRT's raw files, masks."""

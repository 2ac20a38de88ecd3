-- What the sink did with each chunk of records, and why it held records back.
SELECT destination, topic, partition, epoch, first, last, rows, delivered, denied_at_export, repeated, settled, denied_reasons, committed_at
FROM ebbgate_chunks FINAL

-- Everything that the linker knows about one partition of the entity log, as of its checkpoint.
SELECT kind, hex(key) AS key, ver, clock, body
FROM state FINAL
WHERE log = 'entity' AND part = {part:UInt16}

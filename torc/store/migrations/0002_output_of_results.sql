-- Clients may post what a job wrote together with its result.
ALTER TABLE result ADD COLUMN stdout TEXT;
ALTER TABLE result ADD COLUMN stderr TEXT;

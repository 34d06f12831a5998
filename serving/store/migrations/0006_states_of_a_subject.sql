-- A subject's page asks for some states of its applications, of which a bank can make very many.
DROP INDEX application_of_subject;
CREATE INDEX application_of_subject ON application (subject, state, number);

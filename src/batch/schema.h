/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/schema.h - the ledger's tables.  Times are UTC as text, as in
 * batch/result.h, which SQLite's date functions take.  PRAGMA user_version is
 * the schema's version, application_id "V2VB". */
#ifndef V2V_BATCH_SCHEMA_H
#define V2V_BATCH_SCHEMA_H

enum { LEDGER_APPLICATION_ID = 0x56325642, LEDGER_SCHEMA = 1 };

static const char ledger_schema[] =
    "CREATE TABLE batch ("
    "  manifest TEXT NOT NULL,"
    "  digest TEXT NOT NULL," /* SHA-256, hexadecimal */
    "  command TEXT NOT NULL,"
    "  options TEXT NOT NULL," /* JSON array */
    "  program TEXT NOT NULL,"
    "  started TEXT NOT NULL"
    ");"

    "CREATE TABLE items ("
    "  line INTEGER PRIMARY KEY,"
    "  identity TEXT NOT NULL,"
    "  state TEXT NOT NULL"
    "    CHECK (state IN ('waiting', 'running', 'done', 'failed', 'again')),"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  result TEXT" /* the command's document, of the last that ended */
    ");"

    /* ended NULL: it has not, or nobody knows */
    "CREATE TABLE attempts ("
    "  line INTEGER NOT NULL REFERENCES items,"
    "  attempt INTEGER NOT NULL,"
    "  host TEXT,"
    "  started TEXT NOT NULL,"
    "  ended TEXT,"
    "  seconds REAL,"
    "  cpu_seconds REAL,"
    "  memory_kib INTEGER,"
    "  exit_status INTEGER," /* NULL: killed */
    "  signal INTEGER,"      /* NULL: not killed */
    "  code TEXT,"
    "  message TEXT,"
    "  backend TEXT,"
    "  PRIMARY KEY (line, attempt)"
    ") WITHOUT ROWID;"

    /* What most questions are about: each line with the last of its attempts
     * that ended. */
    "CREATE VIEW report AS"
    "  SELECT items.line AS line, identity, state, attempts, attempt, started,"
    "    ended, seconds, cpu_seconds, memory_kib, exit_status, signal, code,"
    "    message, backend, host, result,"
    "    (SELECT min(started) FROM attempts AS a"
    "      WHERE a.line = items.line AND a.attempt > coalesce("
    "        (SELECT max(attempt) FROM attempts AS e"
    "          WHERE e.line = items.line AND e.ended IS NOT NULL"
    "            AND e.code IS NOT 'interrupted'), 0)) AS interrupted"
    "  FROM items LEFT JOIN attempts"
    "    ON attempts.line = items.line AND attempt = ("
    "      SELECT max(attempt) FROM attempts AS others"
    "      WHERE others.line = items.line AND others.ended IS NOT NULL);";

#endif

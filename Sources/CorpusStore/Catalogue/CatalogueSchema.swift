/// The tables of catalog.sqlite. They are derived: a catalogue of another version is dropped and filled again.
///
/// Digests are 32 bytes, and what many samples share is kept once: ten million samples fit in four gigabytes.
enum CatalogueSchema {
    static let version = 13

    static let tables = """
        CREATE TABLE prompt (key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
        CREATE TABLE origin (
          key INTEGER PRIMARY KEY, model TEXT NOT NULL, adapter TEXT, sampler TEXT NOT NULL, steps INTEGER NOT NULL,
          guidance REAL NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, tag TEXT, latent_shape TEXT NOT NULL,
          engine TEXT);
        CREATE TABLE shard (
          key INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, samples INTEGER NOT NULL,
          size INTEGER NOT NULL, inode INTEGER NOT NULL, changed INTEGER NOT NULL, taken INTEGER NOT NULL);
        CREATE TABLE sample (
          key INTEGER PRIMARY KEY, id BLOB NOT NULL, recipe BLOB NOT NULL, prompt INTEGER NOT NULL,
          origin INTEGER NOT NULL, seed NOT NULL, shard INTEGER NOT NULL, row INTEGER NOT NULL,
          mi REAL, mi_se REAL, mi_reference REAL, mi_source TEXT,
          mc REAL, mc_se REAL, mc_reference REAL, mc_draws INTEGER,
          contrast REAL, contrast_se REAL, contrast_hard REAL, pointwise REAL, near_misses INTEGER, rf REAL, rf_cfg REAL);
        CREATE TABLE score (
          sample BLOB NOT NULL, scorer TEXT NOT NULL, shard BLOB NOT NULL, draws INTEGER NOT NULL,
          mi REAL, mi_se REAL, mi_reference REAL,
          contrast REAL, contrast_se REAL, contrast_hard REAL, pointwise REAL, near_misses INTEGER,
          PRIMARY KEY (sample, scorer, shard)) WITHOUT ROWID;
        CREATE TABLE scorer (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE annotation (
          scorer INTEGER NOT NULL, sample BLOB NOT NULL, value REAL NOT NULL, revision INTEGER NOT NULL,
          shard BLOB NOT NULL, PRIMARY KEY (scorer, sample)) WITHOUT ROWID;
        CREATE TABLE annotation_file (
          shard BLOB PRIMARY KEY, scorer INTEGER NOT NULL, revision INTEGER NOT NULL, source TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE folder (prefix TEXT PRIMARY KEY, changed INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE VIEW samples AS SELECT \(CatalogueSource.all.columns) \(CatalogueSource.all.tables);
        """

    /// Of the samples; a catalogue that is filled from nothing gets them last, when sorting is cheaper than inserting.
    static let indexes = """
        CREATE UNIQUE INDEX sample_id ON sample(id);
        CREATE INDEX sample_recipe ON sample(recipe);
        CREATE INDEX sample_best ON sample(prompt, mi DESC, id);
        CREATE INDEX sample_origin ON sample(origin, mi);
        CREATE INDEX sample_mi ON sample(mi DESC, id);
        CREATE INDEX sample_shard ON sample(shard);
        """

    /// Lets SQLite choose its indexes by looking at a part of each.
    static let statistics = "PRAGMA analysis_limit = 1000; ANALYZE"
}

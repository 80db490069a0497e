/// The tables of catalog.sqlite. They are derived: a catalogue of another version is dropped and filled again.
enum CatalogueSchema {
    static let version = 3

    static let sql = """
        DROP TABLE IF EXISTS samples;
        DROP TABLE IF EXISTS score;
        DROP TABLE IF EXISTS shard;
        DROP TABLE IF EXISTS setting;
        CREATE TABLE samples (
          id TEXT PRIMARY KEY, recipe TEXT NOT NULL, prompt TEXT NOT NULL, seed NOT NULL, model TEXT NOT NULL,
          adapter TEXT, sampler TEXT NOT NULL, steps INTEGER NOT NULL, guidance REAL NOT NULL, width INTEGER NOT NULL,
          height INTEGER NOT NULL, tag TEXT, mi REAL, mi_se REAL, mi_reference REAL, mi_source TEXT,
          mc REAL, mc_se REAL, mc_reference REAL, mc_draws INTEGER, latent_shape TEXT NOT NULL,
          shard TEXT NOT NULL, row INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX samples_recipe ON samples(recipe);
        CREATE INDEX samples_prompt_mi ON samples(prompt, mi);
        CREATE TABLE score (
          sample TEXT NOT NULL, scorer TEXT NOT NULL, shard TEXT NOT NULL, draws INTEGER NOT NULL,
          mi REAL, mi_se REAL, mi_reference REAL, PRIMARY KEY (sample, scorer, shard)) WITHOUT ROWID;
        CREATE TABLE shard (digest TEXT PRIMARY KEY, samples INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        """
}

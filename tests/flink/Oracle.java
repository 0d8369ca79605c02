import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import org.apache.flink.table.api.*;

/**
 * Runs golden cases in Flink SQL, all in one JVM, and writes what each sink got as sorted JSON lines.
 *
 * <p>Arguments: the output folder, the watermark interval, then case folders. For a case `tests/golden/x` it
 * runs `case.sql` with `${CASE}` and `${OUT}` replaced and writes `<output>/x/expected/<sink>.jsonl`. A case
 * that fails is printed with its causes and does not stop the others; the exit code counts the failures.
 *
 * <p>One task slot, streaming mode, bounded files: the watermark reaches its maximum at the end. Before that
 * it moves whenever event time has passed by more than the interval, so with a huge one no row is ever late.
 */
class Oracle {
  static final Pattern SET = Pattern.compile("(?is)SET\\s+'([^']+)'\\s*=\\s*'([^']*)'");
  static final Pattern TOKEN =
      Pattern.compile("'[^']*'|`[^`]*`|(?s:/\\*.*?\\*/)|--[^\n]*|;|[^'`;/-]+|[/-]");
  static final Pattern SINK = Pattern.compile("\\$\\{OUT}/(\\w+)");

  public static void main(String[] args) throws Exception {
    int failures = 0;
    for (String dir : List.of(args).subList(2, args.length)) {
      Path source = Path.of(dir).toRealPath();
      Path out = Path.of(args[0]).toAbsolutePath().resolve(source.getFileName());
      try {
        run(source, out, args[1]);
      } catch (Throwable error) {
        failures++;
        System.out.println("failed: " + source.getFileName());
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
          cause.toString().lines().limit(8).forEach(line -> System.out.println("    " + line));
        }
      }
    }
    System.exit(Math.min(failures, 100));
  }

  static void run(Path source, Path out, String watermarkInterval) throws Exception {
    TableEnvironment flink = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
    flink.getConfig()
        .set("parallelism.default", "1")
        .set("pipeline.auto-watermark-interval", watermarkInterval)
        .set("table.local-time-zone", "UTC");
    String sql = Files.readString(source.resolve("case.sql"));
    Path sinks = out.resolve("sinks");
    String local = sql.replace("${CASE}", source.toString()).replace("${OUT}", sinks.toString());
    for (String statement : split(local)) {
      Matcher set = SET.matcher(statement);
      if (set.matches()) flink.getConfig().set(set.group(1), set.group(2));
      else flink.executeSql(statement).await();
    }
    Files.createDirectories(out.resolve("expected"));
    for (Matcher sink = SINK.matcher(sql); sink.find(); ) {
      List<String> rows = new ArrayList<>();
      Path parts = sinks.resolve(sink.group(1));
      if (Files.exists(parts)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(parts, "part-*")) {
          for (Path file : files) rows.addAll(Files.readAllLines(file));
        }
      }
      Collections.sort(rows);
      Files.write(out.resolve("expected").resolve(sink.group(1) + ".jsonl"), rows);
    }
  }

  /** Statements between semicolons, without comments; a statement set is one statement. */
  static List<String> split(String sql) {
    List<String> statements = new ArrayList<>();
    StringBuilder statement = new StringBuilder();
    Matcher token = TOKEN.matcher(sql);
    while (token.find()) {
      String text = token.group(), before = statement.toString().trim();
      boolean inSet = before.matches("(?is)EXECUTE\\s+STATEMENT\\s+SET\\b.*")
          && !before.matches("(?is).*\\bEND");
      if (text.startsWith("--") || text.startsWith("/*")) continue;
      if (!text.equals(";") || inSet) {
        statement.append(text);
      } else if (!before.isEmpty()) {
        statements.add(before);
        statement.setLength(0);
      }
    }
    if (!statement.toString().isBlank()) statements.add(statement.toString().trim());
    return statements;
  }
}

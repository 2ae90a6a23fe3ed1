"""Tables as other programs write them: understood, or refused with what to do."""

import bz2
import codecs
import gzip
import io
import lzma
import math
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from naokit.base import EvaluationFailed, InputError
from naokit.bench import TableTask
from naokit.cli.app import app
from naokit.evaluators import Tabular
from naokit.evaluators.tabular import NO_NUMBER, columns_space, read_tables
from naokit.spaces import Choice, Choices
from naokit.spaces.delimited import read_delimited

LR = Choices("lr", (Choice("lr", (0.1, 0.01, 0.001)), Choice("depth", (1, 2))))
PLAIN = "lr,depth,acc\n0.1,1,90.5\n0.01,2,80\n"
GERMAN = "lr;depth;acc\n0,1;1;90,5\n0,01;2;80\n"


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(path: Path | list[Path], **more: object) -> Tabular:
    given = {"architecture_column": "lr,depth", "metric": "acc"} | more
    return Tabular(LR, path, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "understood"),
    [
        (PLAIN, ""),
        (codecs.BOM_UTF8 + PLAIN.encode(), ""),
        (PLAIN.replace("\n", "\r\n"), ""),
        (PLAIN.replace("\n", "\r"), ""),
        (PLAIN.replace(",", ", ").replace("acc", "acc "), ""),
        ('"lr","depth","acc"\n"0.1","1","90.5"\n"0.01","2","80"\n', ""),
        (f",{PLAIN}".replace("\n0.1", "\n0,0.1").replace("\n0.01", "\n1,0.01"), ""),  # pandas
        (PLAIN.replace("\n", ",\n"), ""),
        (f"\n{PLAIN}\n,,\n \n", ""),
        (gzip.compress(PLAIN.encode(), mtime=0), ""),
        (gzip.compress(codecs.BOM_UTF8 + PLAIN.encode(), mtime=0), ""),
        (PLAIN.replace(",", ";"), "fields separated by semicolons"),
        (PLAIN.replace(",", "\t"), "fields separated by tabs"),
        (PLAIN.replace(",", "|"), "fields separated by vertical bars"),
        (GERMAN, "fields separated by semicolons, decimal commas"),
        (f"sep=;\n{GERMAN}", "fields separated by semicolons, decimal commas"),
        (f"sep=,\r\n{PLAIN}", ""),
        (GERMAN.encode("utf-16"), "UTF-16, fields separated by semicolons, decimal commas"),
        (codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), "UTF-16"),
        (PLAIN.encode("utf-32"), "UTF-32"),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t"])
def test_a_table_is_read_whichever_program_wrote_it(
    tmp_path: Path, content: str | bytes, understood: str, name: str
) -> None:
    path = written(tmp_path, content, name)
    found = table(path)
    assert found.columns == ("lr", "depth", "acc")
    assert list(found.values.values()) == [90.5, 80.0]
    assert found.understood == ((f"{path}: read as {understood}",) if understood else ())
    space = columns_space("choices", *read_tables(path, "lr,depth"))
    assert [choice.values for choice in space.choices] == [(0.01, 0.1), (1, 2)]


def test_quoted_fields_hold_separators_quotes_and_ends_of_lines(tmp_path: Path) -> None:
    header = "name;note;acc\n"
    rows = '"a;b";"says ""x"", twice\r\nover";1\n' + "c,d;\u2028\x0b\x0c;2\n"
    found = read_delimited(written(tmp_path, header + rows))
    assert [row["name"] for row in found.rows] == ["a;b", "c,d"]
    assert found.rows[0]["note"] == 'says "x", twice\r\nover'
    assert found.rows[1]["note"] == "\u2028\x0b\x0c"
    assert found.lines == [3, 4]


def test_marks_inside_of_fields_are_no_separators(tmp_path: Path) -> None:
    rows = "".join(f'|a~0|+|b~0|c~{n}|,x "y";"z",{n}\n' for n in range(9))
    assert read_delimited(written(tmp_path, f"arch,note,acc\n{rows}")).columns[0] == "arch"


@pytest.mark.parametrize("word", [*sorted(NO_NUMBER), " ", "NaN", "N/A", " NULL ", "None"])
def test_a_missing_number_is_none_however_it_is_written(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, f"lr,depth,acc\n0.1,1,{word}\n0.01,2,80\n")
    found = table(path)
    assert math.isnan(found.values[found.space.key((0, 0))])
    with pytest.raises(EvaluationFailed, match="the table has nan"):
        found.evaluate(found.space.architecture((0, 0)), 0)


@pytest.mark.parametrize("word", ["NA", "n/a", "null", "-", " "])
def test_a_missing_choice_is_absent_among_numbers_and_a_word_among_words(
    tmp_path: Path, word: str
) -> None:
    content = f"model,depth,act,acc\nforest,4,relu,1\nforest,16,{word},3\nlinear,{word},relu,2\n"
    path = written(tmp_path, content)
    space = columns_space("choices", *read_tables(path, "model,depth,act"))
    assert space.choices[1].values == (None, 4, 16)
    found = Tabular(space, path, architecture_column="model,depth,act", metric="acc")
    assert sorted(found.values.values()) == [1, 2, 3]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("word", ["inf", "-inf", "+Inf", "Infinity", " -INFINITY"])
def test_an_infinite_value_is_no_result(tmp_path: Path, word: str, direction: str) -> None:
    path = written(tmp_path, f"lr,depth,acc,ms\n0.1,1,{word},{word}\n0.01,2,80,5\n")
    found = table(path, direction=direction, also=["ms"])
    with pytest.raises(EvaluationFailed) as caught:
        found.evaluate(found.space.architecture((0, 0)), 0)
    assert caught.value.reason == "no value"
    assert not any(math.isinf(value) for value in found.values.values())
    assert math.isnan(found.static_metrics(found.space.architecture((0, 0)))["ms"])


@pytest.mark.parametrize(
    "word",
    [
        "1e400",
        "-1e999",
        "1_0",
        "0x10",
        "1,234",
        "1,234.5",
        "1.234,5",
        "1 000",
        "90%",
        "\u0661",
        "x",
        "--1",
        "1e",
        ".",
        "e5",
        "1.5.2",
        "1/2",
        "$5",
        "True",
        "infinite",
        "nanana",
        "1d3",
    ],
)
@pytest.mark.parametrize("column", ["acc", "ms"])
def test_what_python_or_another_country_reads_as_a_number_is_refused_with_its_row(
    tmp_path: Path, word: str, column: str
) -> None:
    row = {"acc": "1", "ms": "2", column: f'"{word}"'}
    content = f"lr,depth,acc,ms\n0.1,1,90,5\n\n0.01,2,{row['acc']},{row['ms']}\n"
    with pytest.raises(InputError, match=rf"line 4 of the table: {column} is '.*', no number"):
        table(written(tmp_path, content), also=["ms"])


def test_a_comma_that_could_be_a_decimal_or_between_thousands_is_not_guessed(
    tmp_path: Path,
) -> None:
    both = written(tmp_path, "lr;depth;acc\n0.1;1;1,234\n0.01;2;2.5\n")
    with pytest.raises(InputError, match="line 2 of the table: acc is '1,234', no number: write"):
        table(both)
    thousands = read_tables(written(tmp_path, 'n,acc\n5,1\n"1,234",2\n'), "n")
    with pytest.raises(InputError, match="row 2 of the table: n is '1,234'"):
        columns_space("choices", *thousands)


@pytest.mark.parametrize("text", ["1_0", "inf", "nan", "0x1", "\u0661"])
def test_a_choice_is_read_as_strictly(text: str) -> None:
    space = Choices("s", (Choice("n", (1, 10, 20)),))
    with pytest.raises(InputError, match=r"n is .*; expected one of 1, 10, 20"):
        space.parse(f"n={text}")
    assert space.parse("n=1e1").choices == (1,)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("t.csv", PLAIN)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: it has no header"),
        (codecs.BOM_UTF8, "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        ("\n \n", "is empty"),
        ("lr,depth,acc\n", "no rows below its header"),
        ("lr,depth,acc\n,,\n\n", "no rows below its header"),
        ("lr,depth,acc,acc\n0.1,1,2,3\n", "has 'acc' in columns 3 and 4: give each column"),
        ("lr,depth,acc, acc\n0.1,1,2,3\n", "has 'acc' in columns 3 and 4"),
        (f"{PLAIN}0.1,2\n", r"line 4: 2 values under 3 columns"),
        (f"{PLAIN}0.1,2,3,4\n", r"line 4: 4 values under 3 columns"),
        (f'{PLAIN}"0.1,2,3\n', "not a readable CSV file: line 4: unexpected end of data"),
        (f'{PLAIN}"0.1"x,2,3\n', "not a readable CSV file: line 4: "),
        (f"{PLAIN}{'x' * 200_000},2,3\n", "not a readable CSV file: line 4: field larger"),
        (PLAIN.encode() + b"0.1,2,\xe9\n", "line 4 is not UTF-8 .*; save it as UTF-8"),
        (PLAIN.encode("utf-16")[:-1], "is not UTF-16 .*; save it as UTF-8"),
        (PLAIN.encode("utf-16-le"), "line 1 has a NUL character.*; save it as UTF-8"),
        (f"{PLAIN}0.1,\0,3\n", "line 4 has a NUL character"),
        (bz2.compress(PLAIN.encode()), "but packed with bzip2: unpack it"),
        (lzma.compress(PLAIN.encode()), "but packed with xz: unpack it"),
        (b"\x28\xb5\x2f\xfd\x04", "but packed with zstd: unpack it"),
        (archive(), "a zip file or a workbook .*save the sheet as CSV"),
        (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "but packed with gzip twice"),
        (b"PAR1\x15\x04", "but a Parquet file"),
        (b"\xd0\xcf\x11\xe0\xa1", "but an Excel workbook: save the sheet as CSV"),
        (gzip.compress(PLAIN.encode() * 50, mtime=0)[:60], "not a readable CSV file: "),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-6] + b"xxxxxx", "not a readable CSV file: CRC"),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_what_is_no_table_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, message: str, name: str
) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(InputError, match=message) as caught:
        table(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_unpacked_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("naokit.spaces.delimited.LARGEST", 10_000)
    with pytest.raises(InputError, match="larger than 10,000 bytes unpacked"):
        table(written(tmp_path, gzip.compress(b"0" * 1_000_000, mtime=0)))


def test_a_column_that_two_tables_have_is_not_taken_from_either(tmp_path: Path) -> None:
    one = written(tmp_path, PLAIN, "a.csv")
    other = written(tmp_path, PLAIN.replace("\n0.1,1", "\n0.1 ,1").replace("90.5", "7"), "b.csv")
    with pytest.raises(InputError, match="both have a column 'acc': rename it in one of them"):
        table([one, other])
    third = written(tmp_path, "depth;ms;lr\n1;3;0.1\n2;4;0.01\n", "c.csv")
    found = table([one, third], metric="ms")
    assert list(found.values.values()) == [3, 4]
    assert found.understood == (f"{third}: read as fields separated by semicolons",)


def test_a_row_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    content = 'lr,depth,acc,note\n0.1,1,1,"two\nlines"\n\n0.01,9,2,x\n'
    with pytest.raises(InputError, match="line 5 of the table: depth is 9"):
        table(written(tmp_path, content))
    blank = written(tmp_path, "lr,depth,acc,note\n0.1,1,1,a\n0.01,2,2,\n")
    with pytest.raises(InputError, match="line 3 of the table: note is blank"):
        table(blank, class_column="note")


def test_what_cannot_be_seen_in_a_name_is_spelled_out(tmp_path: Path) -> None:
    path = written(tmp_path, "lr,depth,a\u200bcc\n0.1,1,2\n")
    with pytest.raises(InputError, match=r"did you mean 'a\\u200bcc'\?"):
        table(path)
    wide = "lr,depth," + ",".join(f"c{n}" for n in range(500))
    with pytest.raises(InputError, match=r"c17 and 482 more$"):
        table(written(tmp_path, f"{wide}\n{'1,' * 501}1\n"), metric="precision")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_table_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        found = read_delimited(path)
    except InputError as error:
        said = str(error)
    else:
        said = found.understood
        assert all(set(row) == set(found.columns) for row in found.rows)
    assert "\n" not in said


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\r")), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str
) -> None:
    import csv

    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(
        [["a", "b", "c"], *rows]
    )
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(buffer.getvalue().encode())
    kept = [row for row in rows if any(row)]
    if not kept:
        return
    found = read_delimited(path)
    if "decimal" not in found.understood:
        assert [list(row.values()) for row in found.rows] == kept


def test_the_command_line_says_once_what_was_understood(tmp_path: Path) -> None:
    path = written(tmp_path, GERMAN)
    options = ["--table", str(path), "--architecture-column", "lr,depth", "--metric", "acc"]
    for command in (
        ["search", "--space", "choices", *options, "--evaluations", "2"],
        ["bench", "--space", "choices", *options, "--methods", "random", "--seeds", "2"],
    ):
        found = CliRunner().invoke(app, [*command, "--out", str(tmp_path / command[0])])
        assert found.exit_code == 0, found.output
        assert found.stderr.count("read as fields separated by semicolons, decimal commas") == 1
        assert "read as" not in found.stdout


def test_a_benchmark_reads_the_same_tables(tmp_path: Path) -> None:
    task = TableTask("choices", (str(written(tmp_path, GERMAN)),), "lr,depth", "acc")
    assert max(task.load().values.values()) == 90.5

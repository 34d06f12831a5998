"""What feature SQL may be made of, by name. What is not here is refused: the list is of what is let in.

Names of syntax are those of sqlglot's expression classes (a function of DuckDB is one of them, whatever it was
written as); the check itself is in :mod:`models.features.feature_sql`.
"""

from __future__ import annotations


def _words(told: str) -> frozenset[str]:
    return frozenset(told.split())


GRAMMAR = _words(
    "Select From Join Where Group Having Distinct With CTE Subquery Table TableAlias Alias Column Identifier Qualify "
    "Literal Boolean Null Paren Star DataType Interval Var Filter Window Order Ordered WindowSpec"
)
OPERATORS = _words(
    "And Or Not EQ NEQ GT GTE LT LTE Is In Between NullSafeEQ NullSafeNEQ Add Sub Mul Div IntDiv Mod Neg "
    "Case If Coalesce Nullif Cast TryCast DPipe Like"
)
AGGREGATES = _words(
    "Count CountIf Sum Avg Min Max Stddev StddevSamp StddevPop Variance VariancePop Median LogicalOr LogicalAnd "
    "ArgMax ArgMin RegrSlope"
)
WINDOW_ONLY = _words("RowNumber Rank DenseRank Lag Lead FirstValue LastValue")
FUNCTIONS = _words(
    "DateTrunc TimestampTrunc DateDiff DateAdd DateSub Extract Year Month Day Quarter Abs Ln Log Exp Sqrt Pow Round "
    "Floor Ceil Sign Greatest Least Lower Upper Trim Length StartsWith Substring"
)
CONDITION = OPERATORS | FUNCTIONS | _words("Column Identifier Literal Boolean Null Paren DataType Interval Var")
TYPES = _words("BOOLEAN TINYINT SMALLINT INT BIGINT DOUBLE FLOAT DECIMAL DATE VARCHAR TEXT")
FORBIDDEN = {  # syntax people try -> why it is refused
    "Star": "SELECT * is not named column by column",
    "Union": "set operations are refused: one SELECT",
    "Intersect": "set operations are refused: one SELECT",
    "Except": "set operations are refused: one SELECT",
    "Limit": "LIMIT makes one subject's value depend on another's",
    "Offset": "OFFSET makes one subject's value depend on another's",
    "Exists": "a subquery stands only in FROM or JOIN, joined on subject",
    "Lateral": "lateral joins are refused",
    "Unnest": "table functions are refused",
    "Values": "rows made up are refused: read a granted table",
    "TableSample": "sampling is chance, and features are not",
    "Rand": "chance is refused: the same order must give the same version",
    "Randn": "chance is refused: the same order must give the same version",
    "Uuid": "chance is refused: the same order must give the same version",
    "CurrentDate": "the clock is refused: the day is as_of",
    "CurrentTimestamp": "the clock is refused: the day is as_of",
    "CurrentTime": "the clock is refused: the day is as_of",
    "Localtimestamp": "the clock is refused: the day is as_of",
    "Localtime": "the clock is refused: the day is as_of",
    "ReadCSV": "files are refused",
    "ReadParquet": "files are refused",
    "Placeholder": "parameters are refused",
    "Parameter": "parameters are refused",
    "Columns": "columns are named one by one",
    "PercentileCont": "write median(x)",
    "Quantile": "write median(x)",
}
FUNCTION_NAMES = _words(  # for the hint when a function is not known
    "count sum avg min max stddev median bool_or bool_and arg_max arg_min regr_slope date_trunc date_diff year month "
    "day quarter abs ln log exp sqrt pow round floor ceil sign greatest least lower upper trim length starts_with "
    "substring coalesce nullif row_number rank lag lead count_if"
)

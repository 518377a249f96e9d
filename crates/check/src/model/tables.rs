//! What builtins, methods and functions of the library give and do, as tables.
//!
//! Source: the Library Reference of CPython 3.13, "Built-in Functions" and
//! "Built-in Types", and the pages of the modules named.

use super::{Known, Type};
use crate::syntax::Operator;

/// The type of a call of a builtin.
pub(crate) fn result_of_builtin(name: &str) -> Option<Type> {
    use Type::*;
    Some(match name {
        "list" | "sorted" | "dir" => List,
        "tuple" | "divmod" => Tuple,
        "dict" | "vars" | "globals" | "locals" => Dict,
        "set" => Set,
        "frozenset" => FrozenSet,
        "str" | "repr" | "ascii" | "chr" | "hex" | "oct" | "bin" | "input" | "format" => Str,
        "bytes" => Bytes,
        "bytearray" => ByteArray,
        "memoryview" => MemoryView,
        "int" | "len" | "ord" | "id" | "hash" => Int,
        "float" => Float,
        "bool" | "isinstance" | "issubclass" | "callable" | "hasattr" | "any" | "all" => Bool,
        "range" => Range,
        "enumerate" | "zip" | "map" | "filter" | "reversed" | "iter" => Iterator,
        "complex" | "object" | "slice" => Other,
        _ => return None,
    })
}

/// The type of a call of a library's function, by its full path.
pub(crate) fn result_of_function(path: &str) -> Option<Type> {
    use Type::*;
    Some(match path {
        "os.listdir"
        | "glob.glob"
        | "re.findall"
        | "re.split"
        | "heapq.nsmallest"
        | "heapq.nlargest"
        | "shlex.split"
        | "random.sample"
        | "random.choices"
        | "fnmatch.filter"
        | "traceback.format_tb"
        | "traceback.format_exception" => List,
        "os.getcwd"
        | "os.path.join"
        | "os.path.basename"
        | "os.path.dirname"
        | "os.path.abspath"
        | "os.path.expanduser"
        | "os.path.normpath"
        | "json.dumps"
        | "textwrap.dedent"
        | "textwrap.indent"
        | "string.capwords"
        | "time.strftime"
        | "traceback.format_exc"
        | "pprint.pformat" => Str,
        "struct.pack" | "pickle.dumps" | "marshal.dumps" | "os.urandom" | "zlib.compress"
        | "zlib.decompress" | "base64.b64encode" | "base64.b64decode" | "binascii.hexlify"
        | "binascii.unhexlify" => Bytes,
        "struct.unpack" | "struct.unpack_from" | "os.path.split" | "os.path.splitext" => Tuple,
        "math.sqrt" | "math.sin" | "math.cos" | "math.tan" | "math.exp" | "math.log" | "math.hypot"
        | "math.fsum" | "math.atan2" | "random.random" | "random.uniform" | "random.gauss" | "time.time"
        | "time.monotonic" | "time.perf_counter" | "time.process_time" | "statistics.fmean" => Float,
        "math.floor" | "math.ceil" | "math.gcd" | "math.isqrt" | "random.randint" | "random.randrange"
        | "os.getpid" | "struct.calcsize" | "time.time_ns" => Int,
        "os.path.exists" | "os.path.isfile" | "os.path.isdir" | "math.isclose" | "math.isnan" => Bool,
        "itertools.islice"
        | "itertools.chain"
        | "itertools.count"
        | "itertools.cycle"
        | "itertools.repeat"
        | "itertools.accumulate"
        | "itertools.groupby"
        | "itertools.product"
        | "itertools.permutations"
        | "itertools.combinations"
        | "itertools.starmap"
        | "itertools.takewhile"
        | "itertools.dropwhile"
        | "itertools.pairwise"
        | "itertools.zip_longest"
        | "itertools.chain.from_iterable"
        | "os.scandir"
        | "os.walk"
        | "glob.iglob"
        | "re.finditer"
        | "csv.reader" => Iterator,
        "collections.deque"
        | "collections.Counter"
        | "collections.defaultdict"
        | "collections.OrderedDict"
        | "array.array"
        | "io.StringIO"
        | "io.BytesIO"
        | "pathlib.Path"
        | "decimal.Decimal"
        | "fractions.Fraction"
        | "datetime.datetime"
        | "datetime.date"
        | "datetime.timedelta" => Other,
        _ => {
            let (module, function) = path.rsplit_once('.')?;
            return match (module, function) {
                (
                    "numpy",
                    "array" | "asarray" | "zeros" | "ones" | "empty" | "full" | "arange" | "linspace"
                    | "concatenate" | "frombuffer" | "fromiter" | "append" | "zeros_like" | "ones_like"
                    | "empty_like" | "full_like" | "stack" | "vstack" | "hstack" | "diff" | "cumsum" | "sort"
                    | "argsort" | "unique" | "where" | "loadtxt" | "load" | "memmap" | "logspace" | "eye",
                )
                | ("numpy.random", _)
                | ("pandas", "Series")
                | ("torch" | "jax.numpy" | "cupy", _) => Some(Array),
                (
                    "pandas",
                    "DataFrame" | "concat" | "read_csv" | "read_parquet" | "read_json" | "read_excel"
                    | "read_sql" | "merge",
                ) => Some(Table),
                _ => None,
            };
        }
    })
}

/// The type of the items of what a library's function gives.
pub(crate) fn element_of_function(path: &str) -> Option<Type> {
    Some(match path {
        "os.listdir" | "glob.glob" | "glob.iglob" | "re.split" | "shlex.split" => Type::Str,
        "csv.reader" => Type::List,
        "itertools.pairwise" | "itertools.product" | "os.walk" => Type::Tuple,
        _ => return None,
    })
}

/// The type of a method's result, for a receiver of a known type.
pub(crate) fn result_of_method(of: Type, method: &str) -> Option<Type> {
    use Type::*;
    Some(match (of, method) {
        (Str | Bytes | ByteArray, "split" | "rsplit" | "splitlines") => List,
        (Str | Bytes | ByteArray, "partition" | "rpartition") => Tuple,
        (Str, "encode") => Bytes,
        (Bytes | ByteArray, "decode" | "hex") => Str,
        (
            Str | Bytes | ByteArray,
            "capitalize" | "casefold" | "center" | "expandtabs" | "format" | "format_map" | "join" | "ljust"
            | "lower" | "lstrip" | "removeprefix" | "removesuffix" | "replace" | "rjust" | "rstrip" | "strip"
            | "swapcase" | "title" | "translate" | "upper" | "zfill",
        ) => of,
        (Str | Bytes | ByteArray | List | Tuple | Range, "count" | "find" | "index" | "rfind" | "rindex") => {
            Int
        }
        (Str | Bytes | ByteArray, "startswith" | "endswith") => Bool,
        (Str | Bytes | ByteArray, name) if name.starts_with("is") => Bool,
        (List, "copy") | (Dict, "copy") | (Set, "copy") | (ByteArray, "copy") => of,
        (Set | FrozenSet, "union" | "intersection" | "difference" | "symmetric_difference") => of,
        (Dict, "keys" | "values" | "items") => Other,
        (Int, "to_bytes") => Bytes,
        (Int, "bit_length" | "bit_count") => Int,
        (TextFile, "read" | "readline") => Str,
        (BinaryFile, "read" | "readline") => Bytes,
        (TextFile | BinaryFile, "readlines") => List,
        (TextFile | BinaryFile, "tell" | "seek" | "write" | "fileno") => Int,
        (MemoryView, "tobytes") => Bytes,
        (MemoryView, "tolist") => List,
        (Array, "tolist") => List,
        (Array, "copy" | "astype" | "reshape" | "flatten" | "ravel") => Array,
        (Table, "copy" | "head" | "tail" | "dropna" | "fillna" | "reset_index" | "sort_values") => Table,
        _ => return None,
    })
}

/// The type of a name after `name op= value`. What is added may bring its own `__radd__`, as an array does,
/// which turns even a list into something else.
pub(crate) fn after_augmented(known: Known, op: Operator, value: Option<Known>) -> Option<Known> {
    use Type::*;
    let Some(Known { ty, proven }) = value else { return Some(known.and(false)) };
    match (known.ty, op, ty) {
        (_, _, Array | Table) => None,
        (Int | Float | Bool, Operator::Div | Operator::Pow, _) => None,
        (Int | Bool, _, Int | Bool) => Some(Known { ty: Int, ..known }.and(proven)),
        (Float | Int | Bool, _, Float | Int | Bool) => Some(Known { ty: Float, ..known }.and(proven)),
        (List, Operator::Add, Other | Code | Nothing) => Some(known.and(false)),
        (List, Operator::Add, _) => Some(known.and(proven)),
        (Str, Operator::Mod, _) => Some(known),
        (_, Operator::Mult, Int | Bool) => Some(known.and(proven)),
        (one, _, other) => Some(known.and(proven && one == other)),
    }
}

/// The type that a method's result most likely has, whatever the receiver is.
pub(crate) fn likely_result_of_method(method: &str) -> Option<Type> {
    Some(match method {
        "readlines" | "splitlines" | "fetchall" | "tolist" => Type::List,
        "decode" | "read_text" | "strftime" | "isoformat" => Type::Str,
        "encode" | "read_bytes" | "to_bytes" | "tobytes" | "digest" => Type::Bytes,
        "hexdigest" => Type::Str,
        _ => return None,
    })
}

/// The type that an annotation's word names.
pub(crate) fn type_named(name: &str) -> Option<Type> {
    use Type::*;
    Some(match name {
        "list" | "List" => List,
        "tuple" | "Tuple" => Tuple,
        "str" => Str,
        "bytes" => Bytes,
        "bytearray" => ByteArray,
        "memoryview" => MemoryView,
        "dict" | "Dict" => Dict,
        "set" | "Set" => Set,
        "frozenset" | "FrozenSet" => FrozenSet,
        "int" => Int,
        "float" => Float,
        "bool" => Bool,
        "None" => Nothing,
        "range" => Range,
        "Iterator" | "Generator" => Iterator,
        "TextIO" => TextFile,
        "BinaryIO" => BinaryFile,
        "ndarray" | "NDArray" | "ArrayLike" | "Series" | "Tensor" => Array,
        "DataFrame" => Table,
        _ => return None,
    })
}

/// Builtins that change nothing and keep nothing of what they are given.
pub(crate) fn pure_builtin(name: &str) -> bool {
    matches!(
        name,
        "abs"
            | "all"
            | "any"
            | "ascii"
            | "bin"
            | "bool"
            | "bytearray"
            | "bytes"
            | "chr"
            | "complex"
            | "dict"
            | "divmod"
            | "enumerate"
            | "float"
            | "format"
            | "frozenset"
            | "hash"
            | "hex"
            | "id"
            | "int"
            | "isinstance"
            | "issubclass"
            | "len"
            | "list"
            | "max"
            | "min"
            | "oct"
            | "ord"
            | "pow"
            | "range"
            | "repr"
            | "reversed"
            | "round"
            | "set"
            | "slice"
            | "sorted"
            | "str"
            | "sum"
            | "tuple"
            | "type"
            | "zip"
            | "callable"
    )
}

/// Builtins whose result goes over what they are given when its own items are taken.
pub(crate) fn lazy_builtin(name: &str) -> bool {
    matches!(name, "enumerate" | "filter" | "iter" | "map" | "reversed" | "zip")
}

/// Functions of the library that change nothing and keep nothing of what they are given.
pub(crate) fn pure_function(path: &str) -> bool {
    path.starts_with("math.")
        || path.starts_with("os.path.")
        || path.strip_prefix("operator.").is_some_and(pure_operator)
        || matches!(
            path,
            "struct.unpack" | "struct.unpack_from" | "struct.pack" | "struct.calcsize" | "json.dumps"
        )
}

/// Functions of `operator` that change nothing: those that begin with an `i` work in place, but for a few.
fn pure_operator(name: &str) -> bool {
    let in_place = name.starts_with('i')
        && !matches!(name, "index" | "indexOf" | "inv" | "invert" | "is_" | "is_not" | "itemgetter");
    !in_place && !matches!(name, "setitem" | "delitem" | "call" | "methodcaller")
}

/// Methods that change nothing, for a receiver of a known type.
pub(crate) fn pure_method(of: Type, method: &str) -> bool {
    use Type::*;
    match of {
        Str | Bytes | Int | Float | Bool | Tuple | Range | FrozenSet => true,
        List => matches!(method, "copy" | "count" | "index"),
        Dict => matches!(method, "copy" | "get" | "items" | "keys" | "values"),
        Set => {
            matches!(
                method,
                "copy"
                    | "difference"
                    | "intersection"
                    | "isdisjoint"
                    | "issubset"
                    | "issuperset"
                    | "symmetric_difference"
                    | "union"
            )
        }
        ByteArray => !mutates(method),
        _ => false,
    }
}

/// Methods of builtin containers that change their receiver.
pub(crate) fn mutates(method: &str) -> bool {
    matches!(
        method,
        "add"
            | "append"
            | "appendleft"
            | "clear"
            | "difference_update"
            | "discard"
            | "extend"
            | "extendleft"
            | "insert"
            | "intersection_update"
            | "move_to_end"
            | "pop"
            | "popitem"
            | "popleft"
            | "remove"
            | "reverse"
            | "rotate"
            | "setdefault"
            | "sort"
            | "symmetric_difference_update"
            | "update"
    )
}

/// Methods of builtin containers that do not give their receiver away.
pub(crate) fn keeps_receiver_in(method: &str) -> bool {
    mutates(method)
        || matches!(
            method,
            "copy" | "count" | "get" | "index" | "items" | "keys" | "values" | "join" | "decode"
        )
}

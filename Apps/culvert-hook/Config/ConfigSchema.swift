/// The JSON Schema of the configuration; Docs/culvert-hook.schema.json is the same text.
enum ConfigSchema {
    static let text = #"""
        {
         "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Configuration of culvert-hook",
         "type": "object",
         "properties": {
          "$schema": {"type": "string"},
          "listen": {
           "type": "array", "items": {"type": "string"}, "description": "Local addresses such as 127.0.0.1:9000."
          },
          "tunnel": {
           "type": "object",
           "properties": {
            "name": {"type": "string", "minLength": 1}, "server": {"type": "string", "minLength": 1},
            "apiKey": {"$ref": "#/$defs/secret"}, "caFile": {"type": "string", "minLength": 1}
           },
           "additionalProperties": false, "required": ["name"]
          },
          "data": {"type": "string", "minLength": 1, "description": "The folder of the inbox."},
          "limits": {
           "type": "object",
           "properties": {
            "events": {"type": "integer", "minimum": 1, "maximum": 10000000, "default": 100000},
            "bytes": {"type": "integer", "minimum": 1, "maximum": 1099511627776, "default": 1073741824},
            "bodyBytes": {"type": "integer", "minimum": 1, "maximum": 67108864, "default": 1048576},
            "receivingBytes": {
             "type": "integer", "minimum": 1, "maximum": 1099511627776, "default": 268435456,
             "description": "Bytes of bodies that are being received at once, of all requests together."
            },
            "retryAfterSeconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 30},
            "retentionHours": {"type": "integer", "minimum": 1, "maximum": 87600, "default": 168},
            "matchSteps": {
             "type": "integer", "minimum": 1000, "maximum": 100000000, "default": 1000000,
             "description": "Steps that all searches may take for one event; beyond them it is kept and not run."
            }
           },
           "additionalProperties": false
          },
          "metrics": {"oneOf": [{"const": false}, {"type": "string", "pattern": "^/"}], "default": "/metrics"},
          "routes": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/route"}}
         },
         "additionalProperties": false, "required": ["data", "routes"],
         "$defs": {
          "secret": {
           "description": "A secret from a file (its line end left out), from the environment, or as it is.",
           "oneOf": [
            {
             "type": "object", "properties": {"file": {"type": "string", "minLength": 1}}, "additionalProperties": false,
             "required": ["file"]
            },
            {
             "type": "object", "properties": {"env": {"type": "string", "minLength": 1}}, "additionalProperties": false,
             "required": ["env"]
            },
            {
             "type": "object", "properties": {"value": {"type": "string", "minLength": 1}}, "additionalProperties": false,
             "required": ["value"]
            }
           ]
          },
          "verify": {
           "description": "How the sender proves itself. \"none\" must be written out.",
           "oneOf": [
            {
             "type": "object",
             "properties": {
              "kind": {"enum": ["github", "stripe", "slack", "inkbox", "shopify", "gitlab", "twilio", "bearer", "basic"]},
              "secrets": {
               "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/secret"},
               "description": "Every one is tried: two while secrets rotate."
              },
              "signingKey": {"$ref": "#/$defs/secret"},
              "toleranceSeconds": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              },
              "replayWindowSeconds": {"type": "integer", "minimum": 1, "maximum": 2592000}
             },
             "additionalProperties": false, "required": ["kind", "secrets"]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"enum": ["standard-webhooks", "culvert", "svix"]},
              "secrets": {
               "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/secret"},
               "description": "Every one is tried: two while secrets rotate."
              },
              "publicKeys": {
               "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/secret"},
               "description": "Every one is tried: two while secrets rotate."
              },
              "signingKey": {"$ref": "#/$defs/secret"},
              "toleranceSeconds": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              },
              "replayWindowSeconds": {"type": "integer", "minimum": 1, "maximum": 2592000}
             },
             "additionalProperties": false, "required": ["kind"],
             "anyOf": [{"required": ["secrets"]}, {"required": ["publicKeys"]}]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"const": "discord"},
              "publicKeys": {
               "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/secret"},
               "description": "Every one is tried: two while secrets rotate."
              },
              "secrets": {
               "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/secret"},
               "description": "Every one is tried: two while secrets rotate."
              },
              "signingKey": {"$ref": "#/$defs/secret"},
              "toleranceSeconds": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              },
              "replayWindowSeconds": {"type": "integer", "minimum": 1, "maximum": 2592000}
             },
             "additionalProperties": false, "required": ["kind", "publicKeys"]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"const": "hmac"},
              "secrets": {
               "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/secret"},
               "description": "Every one is tried: two while secrets rotate."
              },
              "signingKey": {"$ref": "#/$defs/secret"},
              "hash": {"enum": ["sha1", "sha256", "sha512"], "default": "sha256"},
              "encoding": {"enum": ["hex", "base64"], "default": "hex"}, "header": {"type": "string", "minLength": 1},
              "prefix": {"type": "string"}, "signed": {"type": "string", "default": "{body}"},
              "timestampHeader": {"type": "string", "minLength": 1},
              "toleranceSeconds": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              },
              "replayWindowSeconds": {"type": "integer", "minimum": 1, "maximum": 2592000}
             },
             "additionalProperties": false, "required": ["kind", "secrets", "header"]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"const": "mtls"},
              "subjects": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
              "subjectHeader": {"type": "string", "minLength": 1},
              "proxies": {
               "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
               "description": "Address ranges such as 192.0.2.0/24."
              },
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              }
             },
             "additionalProperties": false, "required": ["kind", "subjects", "subjectHeader", "proxies"]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"const": "addresses"},
              "ranges": {
               "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
               "description": "Address ranges such as 192.0.2.0/24."
              },
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              }
             },
             "additionalProperties": false, "required": ["kind", "ranges"]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"const": "none"},
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              }
             },
             "additionalProperties": false, "required": ["kind"]
            },
            {
             "type": "object",
             "properties": {
              "kind": {"const": "all"}, "of": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/verify"}},
              "toleranceSeconds": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
              "deliveryID": {
               "oneOf": [
                {
                 "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
                 "additionalProperties": false, "required": ["header"]
                },
                {
                 "type": "object",
                 "properties": {
                  "json": {
                   "type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."
                  }
                 },
                 "additionalProperties": false, "required": ["json"]
                }
               ],
               "description": "Where the delivery's id stands; presets know it."
              },
              "replayWindowSeconds": {"type": "integer", "minimum": 1, "maximum": 2592000}
             },
             "additionalProperties": false, "required": ["kind", "of"]
            }
           ]
          },
          "filter": {
           "description": "Which events are wanted.",
           "oneOf": [
            {
             "type": "object", "properties": {"all": {"type": "array", "items": {"$ref": "#/$defs/filter"}}},
             "additionalProperties": false, "required": ["all"]
            },
            {
             "type": "object", "properties": {"any": {"type": "array", "items": {"$ref": "#/$defs/filter"}}},
             "additionalProperties": false, "required": ["any"]
            },
            {
             "type": "object", "properties": {"not": {"$ref": "#/$defs/filter"}}, "additionalProperties": false,
             "required": ["not"]
            },
            {
             "type": "object",
             "properties": {
              "header": {"type": "string", "minLength": 1}, "query": {"type": "string", "minLength": 1},
              "json": {"type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."},
              "equals": {"type": ["string", "number", "boolean", "null"]}
             },
             "additionalProperties": false, "required": ["equals"],
             "oneOf": [{"required": ["header"]}, {"required": ["query"]}, {"required": ["json"]}]
            },
            {
             "type": "object",
             "properties": {
              "header": {"type": "string", "minLength": 1}, "query": {"type": "string", "minLength": 1},
              "json": {"type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."},
              "in": {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}}
             },
             "additionalProperties": false, "required": ["in"],
             "oneOf": [{"required": ["header"]}, {"required": ["query"]}, {"required": ["json"]}]
            },
            {
             "type": "object",
             "properties": {
              "header": {"type": "string", "minLength": 1}, "query": {"type": "string", "minLength": 1},
              "json": {"type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."},
              "matches": {"type": "string"}
             },
             "additionalProperties": false, "required": ["matches"],
             "oneOf": [{"required": ["header"]}, {"required": ["query"]}, {"required": ["json"]}]
            },
            {
             "type": "object",
             "properties": {
              "header": {"type": "string", "minLength": 1}, "query": {"type": "string", "minLength": 1},
              "json": {"type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."},
              "exists": {"const": true}
             },
             "additionalProperties": false, "required": ["exists"],
             "oneOf": [{"required": ["header"]}, {"required": ["query"]}, {"required": ["json"]}]
            }
           ]
          },
          "value": {
           "oneOf": [
            {"type": "string"},
            {
             "type": "object",
             "properties": {
              "json": {"type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."}
             },
             "additionalProperties": false, "required": ["json"]
            },
            {
             "type": "object", "properties": {"header": {"type": "string", "minLength": 1}},
             "additionalProperties": false, "required": ["header"]
            },
            {
             "type": "object", "properties": {"query": {"type": "string", "minLength": 1}}, "additionalProperties": false,
             "required": ["query"]
            }
           ],
           "description": "A text, or a place in the event."
          },
          "action": {
           "description": "What is done for an event.",
           "oneOf": [
            {
             "type": "object",
             "properties": {
              "exec": {
               "type": "array", "minItems": 1, "items": {"type": "string"},
               "description": "The program and its arguments; no shell reads them."
              },
              "env": {
               "type": "object", "propertyNames": {"pattern": "^[A-Z0-9_]+$"},
               "additionalProperties": {"$ref": "#/$defs/value"}
              },
              "directory": {"type": "string", "minLength": 1}, "user": {"type": "string", "minLength": 1},
              "outputBytes": {"type": "integer", "minimum": 0, "maximum": 1048576, "default": 65536},
              "finalExitCodes": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 255}},
              "killGraceSeconds": {"type": "integer", "minimum": 0, "maximum": 300, "default": 5}
             },
             "additionalProperties": false, "required": ["exec"]
            },
            {
             "type": "object",
             "properties": {
              "http": {
               "type": "object",
               "properties": {
                "url": {"type": "string", "minLength": 1},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "forward": {"type": "array", "items": {"type": "string", "minLength": 1}},
                "sign": {"$ref": "#/$defs/verify"}, "allowPrivate": {"type": "boolean", "default": false},
                "caFile": {"type": "string", "minLength": 1},
                "outputBytes": {"type": "integer", "minimum": 0, "maximum": 1048576, "default": 65536}
               },
               "additionalProperties": false, "required": ["url"]
              }
             },
             "additionalProperties": false, "required": ["http"]
            },
            {
             "type": "object",
             "properties": {
              "rpc": {
               "type": "object",
               "properties": {
                "command": {
                 "type": "array", "minItems": 1, "items": {"type": "string"},
                 "description": "The program and its arguments; no shell reads them."
                },
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
                "directory": {"type": "string", "minLength": 1},
                "socket": {
                 "type": "string", "minLength": 1,
                 "description": "A Unix socket at which the program listens, in place of a command that is kept running."
                },
                "method": {"type": "string", "minLength": 1}, "notify": {"type": "boolean", "default": false}
               },
               "additionalProperties": false, "required": ["method"],
               "oneOf": [
                {"required": ["command"]},
                {"required": ["socket"], "not": {"anyOf": [{"required": ["env"]}, {"required": ["directory"]}]}}
               ]
              }
             },
             "additionalProperties": false, "required": ["rpc"]
            },
            {
             "type": "object",
             "properties": {
              "culvert": {
               "type": "object",
               "properties": {
                "do": {
                 "enum": [
                  "rotate-connect-secret", "restore-tunnel", "delete-tunnel", "rotate-signing-key", "revoke-api-key",
                  "delete-identity"
                 ]
                },
                "subject": {"$ref": "#/$defs/value"}, "server": {"type": "string", "minLength": 1},
                "apiKey": {"$ref": "#/$defs/secret"}, "caFile": {"type": "string", "minLength": 1},
                "secretFile": {"type": "string", "minLength": 1}
               },
               "additionalProperties": false, "required": ["do", "subject", "server", "apiKey"]
              }
             },
             "additionalProperties": false, "required": ["culvert"]
            }
           ]
          },
          "route": {
           "type": "object",
           "properties": {
            "name": {"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"},
            "path": {"type": "string", "pattern": "^/"},
            "methods": {
             "type": "array", "minItems": 1, "items": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
             "default": ["POST"]
            },
            "verify": {"$ref": "#/$defs/verify"},
            "url": {
             "type": "string", "description": "Scheme and host that the sender calls, for senders that sign the URL."
            },
            "when": {"$ref": "#/$defs/filter"}, "action": {"$ref": "#/$defs/action"},
            "orderBy": {"type": "string", "pattern": "^(/([^~]|~[01])*)*$", "description": "A JSON pointer (RFC 6901)."},
            "concurrency": {"type": "integer", "minimum": 1, "maximum": 256, "default": 1},
            "timeoutSeconds": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
            "retries": {
             "type": "object",
             "properties": {
              "attempts": {"type": "integer", "minimum": 1, "maximum": 100, "default": 5},
              "firstSeconds": {"type": "number", "minimum": 0, "maximum": 86400, "default": 2},
              "factor": {"type": "number", "minimum": 1, "maximum": 10, "default": 2},
              "maxSeconds": {"type": "number", "minimum": 0, "maximum": 86400, "default": 300},
              "jitter": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.2}
             },
             "additionalProperties": false
            },
            "expireSeconds": {"type": "integer", "minimum": 1, "maximum": 31536000},
            "response": {
             "type": "object",
             "properties": {
              "status": {"type": "integer", "minimum": 200, "maximum": 299, "default": 202},
              "contentType": {"type": "string", "minLength": 1}, "body": {"type": "string"},
              "waitSeconds": {"type": "number", "minimum": 0.001, "maximum": 120}
             },
             "additionalProperties": false
            }
           },
           "additionalProperties": false, "required": ["name", "path", "verify", "action"]
          }
         }
        }
        """#
}
